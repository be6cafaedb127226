using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>What a message says about identity and money, and what the store knew about its session and identifiers before the message was written.</summary>
internal sealed record PriorState
{
    /// <summary>The state of a browser's event, which carries no identity.</summary>
    public static readonly PriorState None = new();

    /// <summary>The message's claim, still without its number.</summary>
    public Claim? Claim { get; init; }

    /// <summary>For a claim on a session: the prior state of that session.</summary>
    public SessionClaims.PriorState? Session { get; init; }

    /// <summary>For an identify by e-mail: whether a back end has named an externalId, and no e-mail, for its session.</summary>
    public Lazy<bool>? HasExternalWebhooks { get; init; }

    /// <summary>The prior state of each pair of identifiers that the message names next to each other.</summary>
    public IReadOnlyList<PairRows.PriorState> Pairs { get; init; } = [];

    /// <summary>For a server's event: the holder of its run.</summary>
    public RunHolder? Holder { get; init; }

    /// <summary>For a server's event: the holder's runs near the event's time.</summary>
    public Lazy<List<ServerRun>>? Runs { get; init; }

    public Money? Money { get; init; }

    /// <summary>Whether the event's type is a payment or refund, but its amount or currency cannot be read.</summary>
    public bool MoneyUnreadable { get; init; }
}

/// <summary>
/// Loads prior states. If each query is a round trip, the queries of all messages of a transaction are deferred and sent together, before any message is written. This
/// covers messages that share no session or identifier with an earlier one, since earlier messages do not change their prior state. A write that affects more than the
/// names in its message calls <see cref="Discard"/>, and the states are loaded again.
/// </summary>
/// <param name="batch">The batch prefetch, if the engine has one.</param>
internal sealed class Prefetcher(WriteTransaction transaction, BatchPrefetch? batch)
{
    private readonly IdCache ids = transaction.Ids;
    private readonly SessionClaims claims = transaction.Derived.Claims;
    private readonly ServerRunRows runs = transaction.Derived.Runs;
    private readonly PairRows pairs = transaction.Derived.Persons.Pairs;
    private readonly Dictionary<Message, PriorState> prefetched = new(ReferenceEqualityComparer.Instance);

    /// <summary>Defers the queries for messages that will be written in this order, if the engine has a batch prefetch.</summary>
    public void Defer(IEnumerable<Message> messages)
    {
        prefetched.Clear();
        if (batch is null) return;
        var sessions = new HashSet<(long Company, string SessionId)>();
        var identifiers = new HashSet<(long Company, ProfileId Leaf)>();
        foreach (var message in batch.Run([.. messages]))
        {
            var company = transaction.Current(message.Company);
            var state = Read(message, company);
            var isApart = message.SessionId is not { } sessionId || sessions.Add((company.Number, sessionId));
            foreach (var identifier in message.Named) isApart &= identifiers.Add((company.Number, identifier.Id));
            if (isApart) prefetched.Add(message, Defer(message, company, state));
        }
    }

    /// <inheritdoc cref="BatchPrefetch.Wrote"/>
    public bool IsWritten(Message message) => batch?.Wrote(message) == true;

    /// <summary>Drops the prefetched states: a write has affected more than the names in its message.</summary>
    public void Discard() => prefetched.Clear();

    public PriorState Of(Message message, Company company) => prefetched.Remove(message, out var prior) ? prior : Defer(message, company, Read(message, company));

    private PriorState Read(Message message, Company company)
    {
        if (message is TrackedEvent { Order.Origin: Origin.Browser }) return PriorState.None;
        var identifiers = ids.IdentifiersOf(message);
        var claim = identifiers.Length > 1 || (identifiers.Length == 1 && message.SessionId is not null) ? ClaimOf(message, identifiers) : null;
        if (message is not TrackedEvent tracked) return new() { Claim = claim };
        var money = Money.Read(company.Settings, tracked.Type, tracked.Data, out var unreadable);
        return new() { Claim = claim, Holder = HolderOf(tracked, company, identifiers), Money = money, MoneyUnreadable = unreadable };
    }

    private PriorState Defer(Message message, Company company, PriorState state)
    {
        if (state == PriorState.None) return state;
        var session = message.SessionId is { } sessionId ? ids.Session(company, sessionId) : null;
        return state with
        {
            Session = state.Claim is { } claim && session is not null ? claims.Defer(company, session.Number, claim, ids.IsNew(session)) : null,
            HasExternalWebhooks = message is Identify && !ids.IsNew(session!) && state.Claim!.FirstNamedAs is IdentifierKind.Email ? claims.HasExternalWebhooks(company, session!.Number) : null,
            Pairs = state.Claim is { Identifiers.Count: > 1 } ? PairsOf(message, company, state.Claim.Trust) : [],
            Runs = state.Holder is { } holder ? runs.Near(holder, message.Order) : null,
        };
    }

    private List<PairRows.PriorState> PairsOf(Message message, Company company, Trust trust)
    {
        var (identifiers, known) = (ids.IdentifiersOf(message), new List<PairRows.PriorState>());
        for (var i = 1; i < identifiers.Length; i++)
            known.Add(pairs.Defer(company, identifiers[i - 1].As(message.Named[i - 1]), identifiers[i].As(message.Named[i]), trust, message.Order.UnixMilliseconds));
        return known;
    }

    private RunHolder HolderOf(TrackedEvent tracked, Company company, InternedId[] identifiers) =>
        identifiers.Length > 0 ? new(company, identifiers[0].Number, 0) : new(company, 0, ids.Session(company, tracked.SessionId!).Number);

    private static Claim ClaimOf(Message message, InternedId[] identifiers)
    {
        // A userId that is the id of the externalId beside it appears twice among the others, so that the claim still shows what was named.
        var goesTo = message.SessionGoesTo;
        var first = identifiers[message.Named.TakeWhile(identifier => !ReferenceEquals(identifier, goesTo)).Count()].Number;
        long[] others = [.. identifiers.Select(identifier => identifier.Number).Where(number => number != first)];
        var (method, trust) = message is Identify identify ? (ClaimMethod.Identify, identify.Trust) : (ClaimMethod.Webhook, Trust.Verified);
        return new(0, method, trust, message.Order.UnixMilliseconds, message.EventId, [first, .. others], goesTo.Kind);
    }
}
