using System.CommandLine;
using TrackMate.Manage;
using TrackMate.Show;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate demo</c>: sends the sample journey to a running server and prints the resulting timeline.</summary>
internal static class DemoCommand
{
    /// <summary>The company of the journey. It is created for the demo, so a shop's own companies are not changed.</summary>
    private const string DemoCompanyId = "TM-SHOP99";

    public static Command Create()
    {
        var url = ServerAddress.Option();
        var company = CompanyCommand.CompanyOption();
        var apiKey = new Option<string?>("--api-key")
        {
            Description = "A key with the scopes write and read. If it and --company are left out, the demo plays into a company of its own, TM-SHOP99, with a key that it revokes at the end.",
            HelpName = "key",
        };
        var command = new Verb("demo", "Send one shopper's journey to a running server and draw the timeline. Running it again changes nothing.")
        {
            Examples = ["trackmate demo", "trackmate demo --url https://trackmate.shop.com --company TM-TEST --api-key tm_live_…"],
            Options = { url, company, apiKey },
        };
        command.Does(async (installation, parsed, cancel) =>
        {
            var address = ServerAddress.Of(parsed.GetValue(url));
            var companyId = parsed.GetValue(company);
            // The key in the environment belongs to the shop. The demo uses it only for the company named in the options, or if there is no local data to create a key in.
            var key = parsed.GetValue(apiKey)
                ?? (companyId is null && installation.Engine.HasData ? null : ServerOptions.Given(Environment.GetEnvironmentVariable, "TRACKMATE_API_KEY"));
            using var server = new ServerCalls(address, installation.Engine);
            await server.CheckAsync(cancel);
            Console.Write(key is null
                ? await PlayWithOwnKeyAsync(installation, server, companyId, cancel)
                : await PlayAsync(server, companyId ?? CompanyIn(installation) ?? DemoCompanyId, key, TimeSpan.Zero, cancel));
        });
        return command;
    }

    private static async Task<string> PlayWithOwnKeyAsync(Installation installation, ServerCalls server, string? companyId, CancellationToken cancel)
    {
        using var registry = installation.OpenRegistry(TimeProvider.System);
        var company = companyId is null
            ? registry.Alone(() => registry.Find(DemoCompanyId) ?? registry.AddCompany(DemoCompanyId, "Demo shop"))
            : Installation.CompanyOf(registry, companyId);
        var key = registry.AddKey(company, "demo, for a moment", Scopes.Write | Scopes.Read);
        try
        {
            // A running server accepts a new key within a second.
            return await PlayAsync(server, company.CompanyId, key, TimeSpan.FromSeconds(5), cancel);
        }
        finally
        {
            registry.RevokeKey(company, registry.FindKey(key)!.Value.Key.Number);
        }
    }

    private static async Task<string> PlayAsync(ServerCalls server, string companyId, string key, TimeSpan patience, CancellationToken cancel)
    {
        await server.AwaitKeyAsync(key, patience, cancel);
        foreach (var message in SeedJourney.Messages)
            await server.SendAsync(message.Path, message.Body.Replace("{company}", companyId, StringComparison.Ordinal), message.FromServer ? key : null, cancel);

        var page = await server.ReadAsync($"/api/profiles?email={Uri.EscapeDataString(SeedJourney.Email)}", key, Shown.Json.ProfilesPage, cancel);
        var profile = page.Profiles.Count == 1 ? page.Profiles[0] : throw new CommandFailedException("The server took the journey and does not show its profile.");
        var events = new List<TimelineEvent>();
        string? cursor = null;
        do
        {
            var more = cursor is null ? "" : $"&cursor={cursor}";
            var timeline = await server.ReadAsync($"/api/profiles/{profile.Id}/timeline?limit=1000{more}", key, Shown.Json.TimelinePage, cancel);
            events.AddRange(timeline.Events);
            cursor = timeline.NextCursor;
        }
        while (cursor is not null);

        events.Reverse();
        return SeedDrawing.Of(profile, events);
    }

    /// <summary>The only company of the installation; null if there are none or several.</summary>
    private static string? CompanyIn(Installation installation)
    {
        if (!installation.Engine.HasData) return null;
        using var registry = installation.OpenRegistry(TimeProvider.System);
        return registry.Companies is { Count: 1 } only ? only.First().CompanyId : null;
    }
}
