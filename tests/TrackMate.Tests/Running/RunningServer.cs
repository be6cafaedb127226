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

    public async ValueTask InitializeAsync() => server = await ServerProcess.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }
}
