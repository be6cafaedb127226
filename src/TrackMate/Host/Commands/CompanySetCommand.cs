using System.CommandLine;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store.Rebuild;

namespace TrackMate.Host.Commands;

/// <summary><c>trackmate company set</c>. A running server uses the new settings within a second.</summary>
internal static class CompanySetCommand
{
    public static Verb Create()
    {
        var companyId = CompanyCommand.CompanyArgument();
        var name = Text("--name", "name", "Display name.");
        var origins = Texts("--origin", "origin", "Origin of pages that may send to the public calls, such as https://shop.com or https://*.shop.com. Replaces the existing list.");
        var noOrigins = new Option<bool>("--no-origins") { Description = "Allow all origins." };
        var paymentTypes = Texts("--payment-type", "type", "Event type of a payment, sent by servers. Replaces the existing list.");
        var refundTypes = Texts("--refund-type", "type", "Event type of a refund, sent by servers. Replaces the existing list.");
        var currency = Text("--currency", "code", "Currency of amounts without one: three letters (ISO 4217).");
        var userRegistered = Text("--user-registered", "on|off", "Whether a person's first browser identify shows as user_registered.");
        var sessionGap = Text("--session-gap", "minutes", "Server events of a person this far apart are two server sessions: 1 to 1440.");
        var placeholders = Texts("--placeholder", "value", "A value that identifies nobody, in addition to the built-in ones. Replaces the existing list.");
        var noPlaceholders = new Option<bool>("--no-placeholders") { Description = "Keep only the built-in placeholders." };
        var maxEmails = Text("--max-emails", "number", "Most e-mails that webhooks can join into one person: 1 to 1000.");
        var claimedJoins = Text("--claimed-joins", "all|new|none", "Whether claims of browsers alone join an e-mail and an externalId. all: unless something verified contradicts them. new: only if verified messages have not named both. none: never. See docs/trust.md.");
        var maxNewSessions = Text("--max-new-sessions", "number", "Most new browser sessions per day whose claims on one identifier are accepted, earliest first.");
        var maxEventAge = Text("--max-event-age", "days|none", "For people that a back end has named: browser events that are older than this on arrival are stored but not counted. Off by default.");
        var maxSessionEvents = Text("--max-session-events", "number|none", "For the same people: most events per browser session and day that are counted, earliest first; the rest are stored but not counted. Off by default.");
        var browserQuota = Text("--browser-quota", "events|none", "Events that browsers may send in one UTC day; none for no limit.");
        var keyQuota = Text("--key-quota", "events|none", "Events that API keys may send in one UTC day; none for no limit.");
        var quota = Text("--quota", "events|none", "Sets both quotas, each to this value.");
        var suppress = Text("--suppress-erased", "on|off", "Whether later messages that name an erased person are dropped.");
        var tokens = Text("--tokens", "off|observe|enforce", "Identifies without a valid token are accepted (off), accepted and counted (observe), or rejected (enforce). See docs/trust.md.");
        var rejectedKept = Text("--rejected-kept", "number", "Rejected events and warnings to keep, for browsers and for API keys each: 100 to 1000000.");
        var rejectedDays = Text("--rejected-days", "days", "Most days to keep rejected events and warnings: 1 to 3650.");
        var command = new Verb("set", "Change a company's settings. Settings that are not given stay unchanged.")
        {
            Examples =
            [
                "trackmate company set TM-SHOP99 --origin https://shop.com --origin https://www.shop.com",
                "trackmate company set TM-SHOP99 --payment-type payment_processed --payment-type invoice_paid --currency EUR",
                "trackmate company set TM-SHOP99 --session-gap 45 --browser-quota 1000000",
                "trackmate company set TM-SHOP99 --tokens observe",
            ],
            Arguments = { companyId },
            Options = { name, origins, noOrigins, paymentTypes, refundTypes, currency, userRegistered, sessionGap, maxEmails, claimedJoins, maxNewSessions, maxEventAge, maxSessionEvents, placeholders, noPlaceholders, browserQuota, keyQuota, quota, tokens, rejectedKept, rejectedDays, suppress },
        };
        command.Does((installation, parsed) =>
        {
            using var registry = installation.OpenRegistry(TimeProvider.System);
            var company = Installation.CompanyOf(registry, parsed.GetValue(companyId));
            var change = new CompanyChange
            {
                Name = parsed.GetValue(name),
                Origins = parsed.GetValue(origins) ?? [],
                NoOrigins = parsed.GetValue(noOrigins),
                PaymentTypes = parsed.GetValue(paymentTypes) ?? [],
                RefundTypes = parsed.GetValue(refundTypes) ?? [],
                Currency = parsed.GetValue(currency),
                UserRegistered = parsed.GetValue(userRegistered),
                SessionGap = parsed.GetValue(sessionGap),
                Placeholders = parsed.GetValue(placeholders) ?? [],
                NoPlaceholders = parsed.GetValue(noPlaceholders),
                MaxEmails = parsed.GetValue(maxEmails),
                ClaimedJoins = parsed.GetValue(claimedJoins),
                MaxNewSessions = parsed.GetValue(maxNewSessions),
                MaxEventAge = parsed.GetValue(maxEventAge),
                MaxSessionEvents = parsed.GetValue(maxSessionEvents),
                BrowserQuota = parsed.GetValue(browserQuota),
                KeyQuota = parsed.GetValue(keyQuota),
                Quota = parsed.GetValue(quota),
                SuppressErased = parsed.GetValue(suppress),
                Tokens = parsed.GetValue(tokens),
                RejectedKept = parsed.GetValue(rejectedKept),
                RejectedDays = parsed.GetValue(rejectedDays),
            };
            using var progress = new ProgressLine(TimeProvider.System);
            var stands = registry.Set(company, current =>
            {
                var (changedName, settings) = change.ApplyTo(current);
                if (settings.TokenMode is TokenMode.Enforce && current.Settings.TokenMode is not TokenMode.Enforce && !registry.TokenKeysInForce(current).Any(key => key.Key is not null))
                    throw new InvalidSettingException("--tokens", $"{current.CompanyId} has no token key that can be used, so every identify would be rejected; add one first with: trackmate token-key add");
                return current with { Name = changedName, Settings = settings };
            }, step => progress.Report(new(DoingOf(step.Part), Math.Min(step.Done, step.Of), step.Of)));
            progress.Clear();
            CompanyCommand.Write(registry, stands);
        });
        return command;
    }

    private static string DoingOf(RebuildPart part) => part switch
    {
        RebuildPart.SplitRuns or RebuildPart.MergeRuns => "Server sessions: events",
        RebuildPart.WriteLedger => "Revenue: events",
        RebuildPart.ClearLedger or RebuildPart.TidyLedger => "Revenue as it was: payments and refunds",
        RebuildPart.Claims => "Claims: days",
        RebuildPart.Persons => "Persons: joins",
        _ => "Settings",
    };

    private static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    private static Option<string[]> Texts(string name, string value, string description) => new(name) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore };
}
