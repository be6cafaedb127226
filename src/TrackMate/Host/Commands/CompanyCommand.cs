using System.CommandLine;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate company add|list|show|set</c>.</summary>
internal static class CompanyCommand
{
    public static Command Create() => new Verb("company", "Add, list, show and change companies.")
    {
        Add(),
        List(),
        Show(),
        CompanySetCommand.Create(),
    };

    private static Verb Add()
    {
        var companyId = new Argument<string>("company_id") { Description = "Its public id: 1 to 64 letters, digits, dashes or underscores." };
        var name = new Option<string?>("--name") { Description = "Display name. Default: the company_id.", HelpName = "name" };
        var command = new Verb("add", "Add a company. Creates the store if there is none.")
        {
            Examples = ["trackmate company add TM-SHOP99 --name \"The Shop\""],
            Arguments = { companyId },
            Options = { name },
        };
        command.Does((installation, parsed) =>
        {
            var id = ServerOptions.CompanyIdOf(parsed.GetRequiredValue(companyId));
            var called = parsed.GetValue(name) is { } given ? CompanyChange.NameOf(given) : id;
            using var registry = installation.MakeRegistry(TimeProvider.System);
            if (registry.Find(id) is not null) throw new CommandFailedException($"There is a company {id} already; change it with: trackmate company set {id}");
            registry.AddCompany(id, called);
            Console.WriteLine($"Added company {id}. Make its first key with: trackmate key add --company {id}");
        });
        return command;
    }

    private static Verb List()
    {
        var json = new Option<bool>("--json") { Description = "Write JSON, with all settings." };
        var command = new Verb("list", "List the companies.")
        {
            Examples = ["trackmate company list", "trackmate company list --json"],
            Options = { json },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize([.. registry.Companies.Select(CompanyDocument.Of)], ManageJson.Readable.IReadOnlyListCompanyDocument));
            else Table.Write(Console.Out, [["company_id", "name"], .. registry.Companies.Select(company => new[] { company.CompanyId, company.Name })]);
        });
        return command;
    }

    private static Verb Show()
    {
        var companyId = CompanyArgument();
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Verb("show", "Show a company and all its settings.")
        {
            Examples = ["trackmate company show TM-SHOP99", "trackmate company show TM-SHOP99 --json"],
            Arguments = { companyId },
            Options = { json },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var company = Installation.CompanyOf(registry, parsed.GetValue(companyId));
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(CompanyDocument.Of(company), ManageJson.Readable.CompanyDocument));
            else Write(registry, company);
        });
        return command;
    }

    /// <summary>The company of a command. Default: the environment's, or the only one.</summary>
    public static Argument<string?> CompanyArgument() => new("company_id")
    {
        Description = "The company. Default: TRACKMATE_COMPANY, else the only company.",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => FromEnvironment(),
    };

    public static Option<string?> CompanyOption() => new("--company")
    {
        Description = "The company. Default: TRACKMATE_COMPANY, else the only company.",
        HelpName = "company_id",
        DefaultValueFactory = _ => FromEnvironment(),
    };

    public static void Write(Registry registry, Company company)
    {
        var settings = company.Settings;
        Table.Write(Console.Out,
        [
            ["company_id", company.CompanyId],
            ["name", company.Name],
            ["origins", settings.AllowedOrigins.Count == 0 ? "any" : string.Join(", ", settings.AllowedOrigins)],
            ["payment types", string.Join(", ", settings.PaymentTypes)],
            ["refund types", string.Join(", ", settings.RefundTypes)],
            ["currency", settings.Currency],
            ["user_registered", settings.UserRegistered ? "on" : "off"],
            ["session gap", $"{settings.ServerSessionGapMinutes} minutes"],
            .. settings.Next is { } next ? [["not in force yet", NextOf(settings, next)]] : Array.Empty<string[]>(),
            ["placeholders", settings.Placeholders.Count == 0 ? "the built-in ones" : "the built-in ones and " + string.Join(", ", settings.Placeholders)],
            ["max e-mails", $"{settings.MaxEmailsPerPerson} of one person"],
            ["browsers' events", BoundsOf(settings)],
            ["suppress erased", settings.SuppressErased ? "yes" : "no"],
            ["browser quota", QuotaOf(settings.BrowserEventsPerDay)],
            ["key quota", QuotaOf(settings.KeyEventsPerDay)],
            ["tokens", TokensOf(registry, company)],
            ["without token", WithoutTokenOf(registry, company)],
            ["rejected events", $"the newest {settings.RejectedKept} of browsers and of API keys each, for {settings.RejectedDays} days"],
        ]);
    }

    private static string NextOf(CompanySettings settings, NextSettings next) => string.Join("; ", new[]
    {
        next.ServerSessionGapMinutes == settings.ServerSessionGapMinutes ? null : $"session gap {next.ServerSessionGapMinutes} minutes",
        next.HasLedgerOf(settings) ? null : $"payment types {string.Join(", ", next.PaymentTypes)}, refund types {string.Join(", ", next.RefundTypes)}, currency {next.Currency}",
        "a running server or the next trackmate company set completes the change",
    }.OfType<string>());

    private static string BoundsOf(CompanySettings settings)
    {
        List<string> bounds = [];
        if (settings.MaxBrowserEventAgeDays is { } days) bounds.Add($"at most {Sizes.Counted(days, "day", "days")} old");
        if (settings.MaxSessionEventsPerDay is { } most) bounds.Add($"{most} of a session on a day");
        return bounds.Count == 0 ? "all count" : $"on persons whom a back end knows, {string.Join(" and ", bounds)} count";
    }

    private static string QuotaOf(long? perDay) => perDay is { } events ? $"{events} events a day" : "none";

    private static string TokensOf(Registry registry, Company company)
    {
        var keys = registry.TokenKeysInForce(company);
        var unreadable = keys.Count(key => key.Key is null);
        var mode = company.Settings.TokenMode.ToString().ToLowerInvariant();
        if (keys.Count == 0) return $"{mode}, no key";
        return $"{mode}, {company.Settings.TokenAlgorithm}, {Sizes.Counted(keys.Count, "key", "keys")} in force{(unreadable > 0 ? $" but {unreadable} UNREADABLE: keys/token.key is not the one they were encrypted with" : "")}";
    }

    /// <summary>The identifies that enforcing would have rejected.</summary>
    private static string WithoutTokenOf(Registry registry, Company company)
    {
        var counts = registry.WithoutToken(company, days: 7);
        return counts.Count > 0
            ? $"{string.Join(", ", counts.Select(count => $"{count.Identifies} {RejectionException.NameOf(Enum.Parse<TokenFault>(count.Fault))}"))} (identifies of the last 7 days that enforcing would have rejected)"
            : company.Settings.TokenMode is TokenMode.Observe ? "none in the last 7 days" : "not counted: only while tokens are observed";
    }

    private static string? FromEnvironment() => ServerOptions.Given(Environment.GetEnvironmentVariable, "TRACKMATE_COMPANY");
}
