using System.Net;
using System.Text.Json.Nodes;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Host.Commands;

/// <summary>Keys are made and revoked beside a running server, which goes by them within a second.</summary>
public sealed class KeyCommandTests(RunningServer running) : IClassFixture<RunningServer>
{
    private readonly CommandLineRunner trackmate = new(running.Server) { Environment = { ["TRACKMATE_COMPANY"] = ServerProcess.CompanyId } };

    [Fact]
    public async Task A_new_key_works_within_a_second_until_it_is_revoked()
    {
        var key = (await trackmate.DoAsync("key add --name checkout --scopes write,read")).Trim();

        Assert.Matches("^tm_live_[0-9A-Za-z]{38}$", key);
        await AwaitStatusAsync(key, HttpStatusCode.OK);
        var listed = JsonNode.Parse(await trackmate.DoAsync("key list --json"))!.AsArray().Single(found => found!["name"]!.ToString() == "checkout")!;
        Assert.DoesNotContain(key, listed.ToJsonString());
        Assert.StartsWith(key[..12], listed["key"]!.ToString());
        Assert.Equal("""["write","read"]""", listed["scopes"]!.ToJsonString());

        await trackmate.DoAsync($"key revoke {listed["number"]}");

        await AwaitStatusAsync(key, HttpStatusCode.Unauthorized);
        Assert.StartsWith($"{ServerProcess.CompanyId} has no key {listed["number"]} in force", await trackmate.FailAsync($"key revoke {listed["number"]}", 1));
    }

    [Fact]
    public async Task A_key_does_what_its_scopes_say()
    {
        var key = (await trackmate.DoAsync("key add --name writer --scopes write")).Trim();

        await AwaitStatusAsync(key, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Scopes_are_a_closed_list() =>
        Assert.Equal("--scopes: 'write,everything' is not made of write, read, admin or all.", await trackmate.FailAsync("key add --scopes write,everything", 2));

    [Fact]
    public async Task A_key_of_another_company_is_not_revoked()
    {
        await trackmate.DoAsync("company add TM-KEYS");
        await trackmate.DoAsync("key add --company TM-KEYS --name theirs");
        var number = JsonNode.Parse(await trackmate.DoAsync("key list --company TM-KEYS --json"))![0]!["number"];

        Assert.StartsWith("TM-SHOP99 has no key", await trackmate.FailAsync($"key revoke {number} --company TM-SHOP99", 1));
    }

    private async Task AwaitStatusAsync(string key, HttpStatusCode expected)
    {
        var backend = new ShopBackend(running.Http, key);
        Assert.Equal(expected, await Eventually.BecomesAsync(async () => (await backend.GetAsync("/api/profiles?limit=1")).Status, status => status == expected));
    }
}
