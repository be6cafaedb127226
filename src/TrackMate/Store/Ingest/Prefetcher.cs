using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>What a message says of people and of money, and what the store knew of it before the message was written.</summary>
internal sealed record PriorState
{
    /// <summary>That of a browser's event, which says nothing of who anybody is.</summary>
    public static readonly PriorState None = new();

    /// <summary>Who it says that somebody is; without a number.</summary>
    public Claim? Claim { get; init; }

    /// <summary>Of a claim on a session: what is known of that session.</summary>
    public SessionClaims.PriorState? Session { get; init; }

    /// <summary>Of an identify by e-mail: whether a back end has named an externalId, and no e-mail, for its session.</summary>
    public Lazy<bool>? HasExternalWebhooks { get; init; }

    /// <summary>What is known of each two identifiers that it names one after the other.</summary>
    public IReadOnlyList<PairRows.PriorState> Pairs { get; init; } = [];

    /// <summary>Of a server's event: whose runs it belongs to.</summary>
    public RunHolder? Holder { get; init; }

    /// <summary>And those of them that it may be in.</summary>
    public Lazy<List<ServerRun>>? Runs { get; init; }

    public Money? Money { get; init; }

    /// <summary>Its type pays or refunds, but no amount or currency can be made out.</summary>
    public bool MoneyUnreadable { get; init; }
}

/// <summary>
/// Loads prior states. Where each question is a round trip, those of a transaction's messages are asked for all at once, before any is written: of each that shares no
/// session or identifier with one before it, since nothing that those write is then in what it asks for. What reaches further has them asked for anew
/// (<see cref="Forget"/>).
/// </summary>
/// <param name="ahead">What goes ahead of the writer, where something does.</param>
internal sealed class Prefetcher(WriteTransaction transaction, BatchPrefetch? ahead)
{
    private readonly Names names = transaction.Names;
    private readonly SessionClaims claims = transaction.Derived.Claims;
    private readonly ServerRunRows runs = transaction.Derived.Runs;
    private readonly PairRows pairs = transaction.Derived.Persons.Pairs;
    private readonly Dictionary<Message, PriorState> asked = new(ReferenceEqualityComparer.Instance);

    /// <summary>Asks for those of messages that are about to be written, in this order, where an engine is asked for many at once.</summary>
    public void Defer(IEnumerable<Message> messages)
    {
        asked.Clear();
        if (ahead is null) return;
        var sessions = new HashSet<(long Company, string SessionId)>();
        var identifiers = new HashSet<(long Company, ProfileId Leaf)>();
        foreach (var message in ahead.Run([.. messages]))
        {
            var company = transaction.Current(message.Company);
            var said = Read(message, company);
            var isApart = message.SessionId is not { } sessionId || sessions.Add((company.Number, sessionId));
            foreach (var identifier in message.Named) isApart &= identifiers.Add((company.Number, identifier.Id));
            if (isApart) asked.Add(message, Defer(message, company, said));
        }
    }

    /// <inheritdoc cref="BatchPrefetch.Wrote"/>
    public bool IsWritten(Message message) => ahead?.Wrote(message) == true;

    /// <summary>Something reached further than what its message names.</summary>
    public void Forget() => asked.Clear();

    public PriorState Of(Message message, Company company) => asked.Remove(message, out var prior) ? prior : Defer(message, company, Read(message, company));

    private PriorState Read(Message message, Company company)
    {
        if (message is TrackedEvent { Order.Origin: Origin.Browser }) return PriorState.None;
        var identifiers = names.IdentifiersOf(message);
        var claim = identifiers.Length > 1 || (identifiers.Length == 1 && message.SessionId is not null) ? ClaimOf(message, identifiers) : null;
        if (message is not TrackedEvent tracked) return new() { Claim = claim };
        var money = Money.Read(company.Settings, tracked.Type, tracked.Data, out var unreadable);
        return new() { Claim = claim, Holder = HolderOf(tracked, company, identifiers), Money = money, MoneyUnreadable = unreadable };
    }

    private PriorState Defer(Message message, Company company, PriorState said)
    {
        if (said == PriorState.None) return said;
        var session = message.SessionId is { } sessionId ? names.Session(company, sessionId) : null;
        return said with
        {
            Session = said.Claim is { } claim && session is not null ? claims.Defer(company, session.Number, claim, names.IsNew(session)) : null,
            HasExternalWebhooks = message is Identify && !names.IsNew(session!) && said.Claim!.FirstNamedAs is IdentifierKind.Email ? claims.HasExternalWebhooks(company, session!.Number) : null,
            Pairs = said.Claim is { Identifiers.Count: > 1 } ? PairsOf(message, company, said.Claim.Trust) : [],
            Runs = said.Holder is { } holder ? runs.Near(holder, message.Order) : null,
        };
    }

    private List<PairRows.PriorState> PairsOf(Message message, Company company, Trust trust)
    {
        var (identifiers, known) = (names.IdentifiersOf(message), new List<PairRows.PriorState>());
        for (var i = 1; i < identifiers.Length; i++)
            known.Add(pairs.Defer(company, identifiers[i - 1].As(message.Named[i - 1]), identifiers[i].As(message.Named[i]), trust, message.Order.UnixMilliseconds));
        return known;
    }

    private RunHolder HolderOf(TrackedEvent tracked, Company company, InternedId[] identifiers) =>
        identifiers.Length > 0 ? new(company, identifiers[0].Number, 0) : new(company, 0, names.Session(company, tracked.SessionId!).Number);

    private static Claim ClaimOf(Message message, InternedId[] identifiers)
    {
        // A userId that is the id of the externalId beside it stands twice among the others, so that what was named can be told from the claim.
        var goesTo = message.SessionGoesTo;
        var first = identifiers[message.Named.TakeWhile(identifier => !ReferenceEquals(identifier, goesTo)).Count()].Number;
        long[] others = [.. identifiers.Select(identifier => identifier.Number).Where(number => number != first)];
        var (method, trust) = message is Identify identify ? (ClaimMethod.Identify, identify.Trust) : (ClaimMethod.Webhook, Trust.Verified);
        return new(0, method, trust, message.Order.UnixMilliseconds, message.EventId, [first, .. others], goesTo.Kind);
    }
}
