using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>A step of the chain, as a sentence.</summary>
/// <param name="Text">The words before the value.</param>
/// <param name="Value">A value from outside or an id, which is set apart from our words.</param>
/// <param name="Note">The words after the value.</param>
/// <param name="Verb">The action that undoes the step, a constant of <see cref="AskedAct"/>; null if none does.</param>
/// <param name="ActOn">The claim or act that this action undoes.</param>
public sealed record ReasonStep(string Text, string? Value, string? Note, string? Verb = null, string? ActOn = null);

/// <summary>Explains in sentences why an event is on a person's timeline, and whether it counts as revenue (B12).</summary>
internal static class Reasons
{
    /// <param name="shown">The event with its chain.</param>
    /// <param name="person">The person whose timeline it is on.</param>
    /// <param name="personName">The person's name on the page.</param>
    /// <param name="clock">The reader's clock.</param>
    public static List<ReasonStep> Of(TimelineEvent shown, Person person, string personName, Clock clock)
    {
        var steps = new List<ReasonStep>();
        var chain = shown.Binding.Chain;
        var identifier = chain.FirstOrDefault(link => link.Identifier is not null)?.Identifier;
        var session = chain.FirstOrDefault(link => link.Kind == "session")?.SessionId;
        var claim = chain.FirstOrDefault(link => link.Kind == "claim");
        var server = shown.Source == "server";
        if (IsDerivedRegistration(shown)) steps.Add(new("TrackMate added this event at the first identify from a browser", null, "once per person"));
        else if (server && session is null) steps.Add(new($"This webhook named the {NameOf(shown.Binding.Method)}", ValueOf(shown, identifier), "sent with an API key, verified"));
        else if (server) steps.Add(new("This webhook named the session", session, "sent with an API key, verified"));
        else steps.Add(new("It happened in the browser session", session, null));

        if (claim is not null) steps.Add(ClaimStep(shown, claim, identifier, clock));
        for (var i = 1; i < chain.Count - 1; i++)
        {
            if (chain[i].Kind is not ("join" or "merge") || chain[i + 1].Identifier is not { } next) continue;
            steps.Add(JoinStep(shown, chain[i], identifier, next, clock));
            identifier = next;
        }

        if (identifier is not null && person.Identifiers.FirstOrDefault(known => known.Identifier.Id.ToString() == identifier.Id) is { FirstNamed: { } firstNamed })
            steps.Add(new($"The {NameOf(identifier.Kind)} belongs to this profile", null, $"first seen at {When(clock, firstNamed, Clock.Read(shown.Timestamp))}"));
        steps.Add(new("", personName, null));
        return steps;
    }

    /// <summary>Whether the event counts as revenue, and why.</summary>
    /// <param name="shown">The event.</param>
    /// <param name="settings">Define which event types are payments and refunds.</param>
    /// <param name="ledger">The person's rows of the ledger.</param>
    public static string RevenueOf(TimelineEvent shown, CompanySettings settings, IReadOnlyList<Teller<bool>> ledger)
    {
        var pays = settings.PaymentTypes.Contains(shown.EventType);
        var refunds = settings.RefundTypes.Contains(shown.EventType);
        if (shown.Source == "client") return pays || refunds ? "No: events from a browser never count as revenue" : "No";
        if (ledger.FirstOrDefault(row => row.EventId == shown.EventId && row.Order.Origin is Origin.Server) is { } counted)
        {
            return counted.Kind is MoneyKind.Payment
                ? $"{MoneyText.Of(counted.Amount, counted.Currency)}, once per payment"
                : $"{MoneyText.Of(-counted.Amount, counted.Currency)}, a refund";
        }

        if (!pays && !refunds) return "No: events of this type are not payments";
        _ = Money.Read(settings, shown.EventType, System.Text.Encoding.UTF8.GetBytes(shown.EventData.GetRawText()), out var unreadable);
        return unreadable ? "No: the amount or currency is missing or not readable" : "No: an earlier event reported the same payment";
    }

    public static bool IsDerivedRegistration(TimelineEvent shown) => shown.EventType == Registration.EventType && shown.Source == "client" && shown.EventId == "reg_" + shown.UserId;

    private static ReasonStep ClaimStep(TimelineEvent shown, ChainLink claim, IdentifierDocument? identifier, Clock clock)
    {
        var at = Clock.Read(claim.At!);
        var when = When(clock, at, Clock.Read(shown.Timestamp));
        var how = claim.Method == "identify" ? "by an identify" : "by a webhook that named both";
        var earlier = at > Clock.Read(shown.Timestamp) ? "; earlier events of the session joined" : "";
        return new("The session was identified as", identifier?.Value, $"{how} at {when}, {claim.Trust}{earlier}", AskedAct.Revoke, claim.ClaimId);
    }

    private static ReasonStep JoinStep(TimelineEvent shown, ChainLink link, IdentifierDocument? from, IdentifierDocument to, Clock clock)
    {
        var when = When(clock, Clock.Read(link.At!), Clock.Read(shown.Timestamp));
        if (link.Kind == "merge") return new("An operator merged it with", to.Value, $"at {when}", AskedAct.Undo, link.MergeId);
        var who = link.Trust == "verified" ? "from a back end" : "from a browser";
        return new($"The {NameOf(from?.Kind ?? "")} belongs to the same person as the {NameOf(to.Kind)}", to.Value, $"{who}, at {when}, {link.Trust}", AskedAct.Revoke, link.ClaimId);
    }

    /// <summary>Only the time if it is on the event's own day, otherwise the time and the date.</summary>
    private static string When(Clock clock, long at, long eventAt) => clock.DateOf(at) == clock.DateOf(eventAt) ? clock.Time(at) : $"{clock.Time(at)} on {clock.Date(at)}";

    private static string? ValueOf(TimelineEvent shown, IdentifierDocument? identifier) => shown.Binding.Method == "userId" ? shown.UserId : identifier?.Value;

    private static string NameOf(string kind) => kind switch
    {
        "email" => "e-mail",
        "externalId" => "external id",
        "userId" => "profile id",
        _ => "session",
    };
}
