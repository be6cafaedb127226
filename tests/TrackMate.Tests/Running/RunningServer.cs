using System.Net;
using System.Security.Cryptography;
using TrackMate.Bind;
using TrackMate.Manage;

namespace TrackMate.Tests.Running;

/// <summary>One server for a class of tests. Tests that share it keep apart by sessions and e-mails of their own.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private ServerProcess? server;

    public ServerProcess Server => server ?? throw new InvalidOperationException("The server is not started.");

    public HttpClient Http => Server.Http;

    /// <summary>A browser of a visitor nobody knows yet.</summary>
    public Shopper NewShopper(string? sessionId = null) => new(Http, ServerProcess.CompanyId, sessionId);

    /// <summary>The shop's back end, with its API key.</summary>
    public ShopBackend Backend => new(Http, ServerProcess.ApiKey);

    /// <summary>A company of its own, for a test that changes settings or counts persons.</summary>
    public Task<Shop> NewShopAsync(CompanySettings? settings = null) => Shop.OpenAsync(Server, settings);

    /// <summary>A word that nothing else holds.</summary>
    public static string Unique(string word = "") => word + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public async ValueTask InitializeAsync() => server = await ServerProcess.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }
}

/// <summary>A company on a running server: its settings, keys and persons are nobody else's.</summary>
public sealed class Shop
{
    private readonly ServerProcess server;

    private Shop(ServerProcess server, string companyId, string apiKey)
    {
        this.server = server;
        CompanyId = companyId;
        ApiKey = apiKey;
    }

    public string CompanyId { get; }

    public string ApiKey { get; }

    public ShopBackend Backend => new(server.Http, ApiKey);

    public Shopper NewShopper(string? sessionId = null) => new(server.Http, CompanyId, sessionId);

    public static async Task<Shop> OpenAsync(ServerProcess server, CompanySettings? settings = null)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        var company = registry.AddCompany(RunningServer.Unique("TM-"), "A shop");
        if (settings is not null) registry.Set(company, added => added with { Settings = settings });
        var key = registry.AddKey(company, "a test", Scopes.All);
        await UntilAsync(async () => await StatusOfReadingAsync(server, key) is HttpStatusCode.OK);
        return new(server, company.CompanyId, key);
    }

    /// <summary>Changes settings while the server runs, and returns when they are in force.</summary>
    public async Task ChangeAsync(Func<CompanySettings, CompanySettings> change)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        registry.Set(registry.Find(CompanyId)!, company => company with { Settings = change(company.Settings) });
        await AddKeyAsync(Scopes.Read);
    }

    /// <summary>Makes a key and returns it when it is in force, and with it all that was changed before.</summary>
    public async Task<string> AddKeyAsync(Scopes scopes)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        var key = registry.AddKey(registry.Find(CompanyId)!, "another", scopes);
        await UntilAsync(async () => await StatusOfReadingAsync(server, key) is not HttpStatusCode.Unauthorized);
        return key;
    }

    /// <summary>Revokes a key and returns when it is out of force.</summary>
    public async Task RevokeAsync(string key)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        Assert.True(registry.RevokeKey(registry.Find(CompanyId)!, registry.FindKey(key)!.Value.Key.Number));
        await UntilAsync(async () => await StatusOfReadingAsync(server, key) is HttpStatusCode.Unauthorized);
    }

    /// <summary>The id that an e-mail has in this company, whether or not anyone has named it.</summary>
    public string ProfileIdOf(string email)
    {
        using var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System);
        Assert.True(EmailAddress.TryNormalize(email, out var normalized));
        return Identifier.Email(registry.Find(CompanyId)!, normalized).Id.ToString();
    }

    private static async Task<HttpStatusCode> StatusOfReadingAsync(ServerProcess server, string key) =>
        (await new ShopBackend(server.Http, key).GetAsync("/api/profiles?limit=1")).Status;

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds()) await Task.Delay(20, limit.Token);
    }
}
