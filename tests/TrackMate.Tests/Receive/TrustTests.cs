using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Receive;

/// <summary>What a company makes of tokens: off, observe, enforce; and what a valid one does (B15).</summary>
public sealed class TrustTests(RunningServer running) : IClassFixture<RunningServer>
{
    private async Task<(Shop Shop, Signer Signer)> ShopAsync(TokenMode mode)
    {
        var shop = await running.NewShopAsync();
        var signer = Signer.WithSecret().AddTo(shop, running.Server);
        await shop.ChangeAsync(settings => settings with { TokenMode = mode });
        return (shop, signer);
    }

    private static Task<Answer> IdentifyAsync(Shop shop, Shopper shopper, string? email, string? token, string? externalId = null, string? name = null, string? eventId = null) =>
        shopper.SendAsync("/api/profile", new JsonObject
        {
            ["company_id"] = shop.CompanyId,
            ["sessionId"] = shopper.SessionId,
            ["email"] = email,
            ["externalId"] = externalId,
            ["name"] = name,
            ["eventId"] = eventId,
            ["token"] = token,
        });

    private static async Task<string> TrustOfAsync(Shop shop, Answer identified) =>
        (await shop.Backend.TimelineAsync(identified.AssertOk()["profileId"]!)).Single(shown => shown["eventType"]!.ToString() == "page_view")["binding"]!["trust"]!.ToString();

    [Theory]
    [InlineData(TokenMode.Off)]
    [InlineData(TokenMode.Observe)]
    [InlineData(TokenMode.Enforce)]
    public async Task A_valid_token_makes_an_identify_verified_in_every_mode(TokenMode mode)
    {
        var (shop, signer) = await ShopAsync(mode);
        var shopper = shop.NewShopper();
        await shopper.TrackAsync("page_view");
        var email = RunningServer.Unique() + "@example.com";

        var identified = await IdentifyAsync(shop, shopper, email, signer.Sign(Signer.Claims(shop.CompanyId, email)));

        Assert.Equal("verified", await TrustOfAsync(shop, identified));
    }

    [Theory]
    [InlineData(TokenMode.Off)]
    [InlineData(TokenMode.Observe)]
    public async Task Unless_enforced_an_identify_without_a_valid_token_is_claimed(TokenMode mode)
    {
        var (shop, _) = await ShopAsync(mode);
        foreach (var token in new[] { null, "garbage", Signer.WithSecret().Sign(Signer.Claims(shop.CompanyId, "a@example.com")) })
        {
            var email = RunningServer.Unique() + "@example.com";
            var shopper = shop.NewShopper();
            await shopper.TrackAsync("page_view");
            Assert.Equal("claimed", await TrustOfAsync(shop, await IdentifyAsync(shop, shopper, email, token)));
        }
    }

    [Fact]
    public async Task A_company_without_keys_ignores_tokens()
    {
        var shop = await running.NewShopAsync();
        var shopper = shop.NewShopper();
        await shopper.TrackAsync("page_view");
        Assert.Equal("claimed", await TrustOfAsync(shop, await IdentifyAsync(shop, shopper, "a@example.com", Signer.WithSecret().Sign(Signer.Claims(shop.CompanyId, "a@example.com")))));
    }

    /// <summary>An e-mail and an externalId that the token both vouches for are one person as if a back end had said so, against what a browser claims.</summary>
    [Fact]
    public async Task A_token_for_both_joins_them_and_one_for_only_one_does_not_count()
    {
        var (shop, signer) = await ShopAsync(TokenMode.Off);
        var (email, id) = (RunningServer.Unique() + "@example.com", RunningServer.Unique("user-"));
        await IdentifyAsync(shop, shop.NewShopper(), "eve@example.com", token: null, externalId: id);
        var shopper = shop.NewShopper();
        await shopper.TrackAsync("page_view");

        Assert.Equal("claimed", await TrustOfAsync(shop, await IdentifyAsync(shop, shopper, email, signer.Sign(Signer.Claims(shop.CompanyId, email)), externalId: id)));
        Assert.Equal("eve@example.com", (await ProfileByExternalIdAsync(shop, id))["email"]!.ToString());

        var claims = Signer.Claims(shop.CompanyId, id);
        claims["email"] = email;
        Assert.Equal("verified", await TrustOfAsync(shop, await IdentifyAsync(shop, shopper, email, signer.Sign(claims), externalId: id)));
        Assert.Equal(email, (await ProfileByExternalIdAsync(shop, id))["email"]!.ToString());
    }

    [Fact]
    public async Task Observed_identifies_without_a_valid_token_are_counted_by_what_is_wrong()
    {
        var (shop, signer) = await ShopAsync(TokenMode.Observe);
        var expired = Signer.Claims(shop.CompanyId, "a@example.com");
        expired["exp"] = (long)expired["exp"]! - 3600;
        var before = await MetricsAsync();

        foreach (var token in new[] { null, null, "garbage", signer.Sign(expired), signer.Sign(Signer.Claims(shop.CompanyId, "a@example.com")) })
            (await IdentifyAsync(shop, shop.NewShopper(), "a@example.com", token)).AssertOk();

        // What is scraped may be a moment old.
        var after = await Eventually.BecomesAsync(MetricsAsync, counts => counts.GetValueOrDefault("expired") > before.GetValueOrDefault("expired"));
        Assert.Equal(2, after["missing"] - before.GetValueOrDefault("missing"));
        Assert.Equal(1, after["malformed"] - before.GetValueOrDefault("malformed"));
        Assert.Equal(1, after["expired"] - before.GetValueOrDefault("expired"));

        var shown = await new CommandLineRunner(running.Server).DoAsync($"company show {shop.CompanyId}");
        Assert.Matches(@"tokens +observe, HS256, 1 key in force\n", shown);
        Assert.Matches(@"without token +2 missing, 1 expired, 1 malformed \(identifies of the last 7 days that enforcing would have rejected\)\n", shown);
        Assert.Empty(Query("SELECT detail FROM rejected WHERE company = (SELECT id FROM company WHERE company_id = ?)", shop.CompanyId));
    }

    [Fact]
    public async Task Enforced_an_identify_without_a_valid_token_is_refused_and_kept_with_its_cause()
    {
        var (shop, _) = await ShopAsync(TokenMode.Enforce);
        var other = Signer.WithSecret();

        var missing = (await IdentifyAsync(shop, shop.NewShopper(), "a@example.com", token: null, eventId: "i1")).AssertRefused(401, "token");
        var invalid = (await IdentifyAsync(shop, shop.NewShopper(), "a@example.com", other.Sign(Signer.Claims(shop.CompanyId, "a@example.com")), eventId: "i2")).AssertRefused(401, "token");

        Assert.Equal("urn:trackmate:problem:token_missing", missing["type"]);
        Assert.Equal("urn:trackmate:problem:token_invalid", invalid["type"]);
        Assert.Null(await shop.Backend.ProfileOfAsync("a@example.com"));
        var kept = Query("SELECT event_id || ' ' || status || ' ' || detail FROM rejected WHERE company = (SELECT id FROM company WHERE company_id = ?) ORDER BY id", shop.CompanyId);
        Assert.Equal([$"i1 401 {missing["detail"]}", $"i2 401 {invalid["detail"]} No key in force has signed it."], kept);

        // Events need no token: they say nothing about who someone is.
        (await shop.NewShopper().TrackAsync("page_view")).AssertOk();
    }

    [Fact]
    public async Task A_change_of_keys_is_in_force_within_a_second_and_both_hold_in_between()
    {
        var (shop, old) = await ShopAsync(TokenMode.Enforce);
        Task<Answer> With(Signer signer) => IdentifyAsync(shop, shop.NewShopper(), "a@example.com", signer.Sign(Signer.Claims(shop.CompanyId, "a@example.com")));

        var next = Signer.WithSecret();
        (await With(next)).AssertRefused(401);
        next.AddTo(shop, running.Server);
        await Eventually.TrueAsync(async () => (int)(await With(next)).Status == 200, () => "The new key is not taken.");
        (await With(old)).AssertOk();

        using (var registry = StoreUnderTest.In(running.Server.DataFolder).MakeRegistry(TimeProvider.System))
        {
            var company = registry.Find(shop.CompanyId)!;
            Assert.Throws<CommandFailedException>(() => registry.AddTokenKey(company, "third", TokenAlgorithm.HS256, [1]));
            Assert.True(registry.RevokeTokenKey(company, old.Kid));
            Assert.Throws<CommandFailedException>(() => registry.AddTokenKey(company, "other", TokenAlgorithm.EdDSA, Signer.WithEd25519().Verifying));
            Assert.Throws<CommandFailedException>(() => registry.AddTokenKey(company, old.Kid, TokenAlgorithm.HS256, [1]));
        }

        await Eventually.TrueAsync(async () => (int)(await With(old)).Status == 401, () => "The revoked key is still taken.");
        (await With(next)).AssertOk();
    }

    /// <summary>A token is somebody's word for an hour: it is in no file of the data folder and in no line of the log, taken or refused, well formed or not.</summary>
    [EmbeddedOnly]
    [Fact]
    public async Task A_token_is_kept_nowhere()
    {
        var (shop, signer) = await ShopAsync(TokenMode.Enforce);
        var (off, signerOfOff) = await ShopAsync(TokenMode.Off);
        var secrets = new List<string>();
        string Token(Shop shop, Signer signer, string email)
        {
            var token = signer.Sign(Signer.Claims(shop.CompanyId, email));
            secrets.Add(token.Split('.')[2]);
            return token;
        }

        var eventId = RunningServer.Unique();
        (await IdentifyAsync(shop, shop.NewShopper(), "a@example.com", Token(shop, signer, "a@example.com"), eventId: eventId)).AssertOk();
        (await IdentifyAsync(off, off.NewShopper(), "a@example.com", Token(off, Signer.WithSecret(), "a@example.com"))).AssertOk();
        (await IdentifyAsync(off, off.NewShopper(), "no e-mail", Token(off, signerOfOff, "a@example.com"))).AssertRefused(422);
        (await IdentifyAsync(shop, shop.NewShopper(), "b@example.com", Token(shop, signer, "a@example.com"))).AssertRefused(401);
        (await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","token":"{{Token(shop, signer, "a")}}","token":"{{Token(shop, signer, "b")}}"}""")).AssertRefused(400);
        (await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","token" : "{{Token(shop, signer, "a")}}\u0000","x":1e999}""")).AssertRefused(400);
        (await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","to\u006ben":"{{Token(shop, signer, "a")}}","sessionId":"s"}""")).AssertRefused(422);
        (await shop.NewShopper().SendAsync("/api/profile", $$"""{"company_id":"{{shop.CompanyId}}","x":"{{new string('x', 3900)}}","token":"{{Token(shop, signer, "a")}}""")).AssertRefused(400);

        // The rest of the message is there.
        var said = Assert.Single(Query("SELECT data FROM message WHERE event_id = ?", eventId));
        Assert.Contains("\"token\":null", said);
        Assert.Contains("a@example.com", said);
        var files = Directory.EnumerateFiles(running.Server.DataFolder, "trackmate.db*").Select(ReadShared).ToList();
        Assert.Contains(files, file => file.Contains(eventId, StringComparison.Ordinal));
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(files, file => file.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, running.Server.Output);
        }
    }

    /// <summary>A secret that verifies has to be read again; what lies in the store cannot, without the folder's own key, and in no backup is that.</summary>
    [EmbeddedOnly]
    [Fact]
    public async Task The_secret_lies_in_no_file_in_clear_and_a_backup_cannot_read_it()
    {
        var (shop, signer) = await ShopAsync(TokenMode.Enforce);
        var secret = System.Text.Encoding.UTF8.GetString(signer.Verifying);
        foreach (var file in Directory.EnumerateFiles(running.Server.DataFolder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))) Assert.DoesNotContain(secret, ReadShared(file));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(running.Server.DataFolder, "keys", "token.key")));

        using var elsewhere = new CommandLineRunner();
        var backup = Path.Combine(Path.GetDirectoryName(elsewhere.DataFolder)!, "backup.db");
        await new CommandLineRunner(running.Server).DoAsync($"backup {backup}");
        await elsewhere.DoAsync($"restore {backup}");

        Assert.Contains("but 1 UNREADABLE", await elsewhere.DoAsync($"company show {shop.CompanyId}"));
        var (exitCode, output, _) = await elsewhere.RunAsync("doctor --quick");
        Assert.Equal(1, exitCode);
        Assert.Contains($"WRONG Token keys that cannot be read, so that their tokens are rejected: ", output);
        Assert.Contains(signer.Kid, output);
        await using (var restored = await ServerProcess.StartAsync(elsewhere.DataFolder))
        {
            var shopper = new Shopper(restored.Http, shop.CompanyId);
            (await IdentifyAsync(shop, shopper, "a@example.com", signer.Sign(Signer.Claims(shop.CompanyId, "a@example.com")))).AssertRefused(401);
            await restored.PrintsAsync($"The token key {signer.Kid} of {shop.CompanyId} cannot be read");
            await restored.StopAsync();
        }

        // The file is what was missing.
        Directory.CreateDirectory(Path.Combine(elsewhere.DataFolder, "keys"));
        File.Copy(Path.Combine(running.Server.DataFolder, "keys", "token.key"), Path.Combine(elsewhere.DataFolder, "keys", "token.key"), overwrite: true);
        await using var whole = await ServerProcess.StartAsync(elsewhere.DataFolder);
        (await IdentifyAsync(shop, new Shopper(whole.Http, shop.CompanyId), "a@example.com", signer.Sign(Signer.Claims(shop.CompanyId, "a@example.com")))).AssertOk();
    }

    private static async Task<JsonNode> ProfileByExternalIdAsync(Shop shop, string externalId) => (await shop.Backend.GetAsync($"/api/profiles?externalId={externalId}")).Body!["profiles"]![0]!;

    private async Task<Dictionary<string, long>> MetricsAsync() => System.Text.RegularExpressions.Regex
        .Matches(await running.Http.GetStringAsync("/metrics"), @"^trackmate_identifies_without_token_total\{[^}]*reason=""(?<reason>\w+)""[^}]*\} (?<count>\d+)", System.Text.RegularExpressions.RegexOptions.Multiline, TimeSpan.FromSeconds(5))
        .ToDictionary(match => match.Groups["reason"].Value, match => long.Parse(match.Groups["count"].Value));

    private static string ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file, System.Text.Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private List<string> Query(string sql, string parameter) => StoreUnderTest.Read(running.Server.DataFolder, sql, 1, parameter).ConvertAll(row => row[0]!);
}
