using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>A message with the store's numbers of its ids.</summary>
/// <param name="Session">The session that the message names; null if it names none.</param>
/// <param name="Identifiers">The identifiers that the message names, in its order.</param>
internal sealed record NumberedMessage(Message Message, Company Company, InternedId? Session, InternedId[] Identifiers)
{
    public long[] Numbers => [.. Identifiers.Select(identifier => identifier.Number)];

    public IdentifierNode Node(int index) => Identifiers[index].As(Message.Named[index]);
}

/// <summary>What the store knew about the session and the identifiers of a message before the message was written.</summary>
internal sealed record PriorState
{
    /// <summary>For a claim on a session: the prior state of that session.</summary>
    public SessionClaims.PriorState? Session { get; init; }

    /// <summary>For an identify by e-mail: whether a back end has named an externalId, and no e-mail, for its session.</summary>
    public Lazy<bool>? HasExternalWebhooks { get; init; }

    /// <summary>The prior state of each pair of the decision, in its order.</summary>
    public required IReadOnlyList<PairRows.PriorState> Pairs { get; init; }

    /// <summary>For a back end's event: the holder's runs near the event's time.</summary>
    public Lazy<List<ServerRun>>? Runs { get; init; }
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
    private readonly Dictionary<Message, (PersonDecision Decision, PriorState Prior)> prefetched = new(ReferenceEqualityComparer.Instance);

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
            var isApart = message.SessionId is not { } sessionId || sessions.Add((company.Number, sessionId));
            foreach (var identifier in message.Named) isApart &= identifiers.Add((company.Number, identifier.Id));
            if (!isApart || message is TrackedEvent { Order.Origin: Origin.Browser }) continue;
            var numbered = Number(message, company);
            PersonDecision decision = message is Identify ? Identify(numbered) : Webhook(numbered);
            prefetched.Add(message, (decision, Defer(numbered, decision)));
        }
    }

    /// <inheritdoc cref="BatchPrefetch.Wrote"/>
    public bool IsWritten(Message message) => batch?.Wrote(message) == true;

    /// <summary>Drops the prefetched states: a write has affected more than the names in its message.</summary>
    public void Discard() => prefetched.Clear();

    /// <summary>Looks up, or gives out, the numbers of what a message ids.</summary>
    public NumberedMessage Number(Message message, Company company) =>
        new(message, company, message.SessionId is { } sessionId ? ids.Session(company, sessionId) : null, ids.IdentifiersOf(message));

    public IdentifyDecision DecisionOfIdentify(NumberedMessage numbered) => prefetched.TryGetValue(numbered.Message, out var known) ? (IdentifyDecision)known.Decision : Identify(numbered);

    public WebhookDecision DecisionOfWebhook(NumberedMessage numbered) => prefetched.TryGetValue(numbered.Message, out var known) ? (WebhookDecision)known.Decision : Webhook(numbered);

    /// <summary>The state before the message. Call it before anything that follows from the message is stored.</summary>
    public PriorState PriorOf(NumberedMessage numbered, PersonDecision decision) => prefetched.Remove(numbered.Message, out var known) ? known.Prior : Defer(numbered, decision);

    private static IdentifyDecision Identify(NumberedMessage numbered) => IdentifyDecision.Of((Identify)numbered.Message, numbered.Numbers);

    private static WebhookDecision Webhook(NumberedMessage numbered) => WebhookDecision.Of((TrackedEvent)numbered.Message, numbered.Session?.Number, numbered.Numbers, numbered.Company.Settings);

    private PriorState Defer(NumberedMessage numbered, PersonDecision decision)
    {
        var (company, session, at) = (numbered.Company, numbered.Session, numbered.Message.Order);
        return new()
        {
            Session = decision.Claim is { } claim && session is not null ? claims.Defer(company, session.Number, claim, ids.IsNew(session)) : null,
            HasExternalWebhooks = decision is IdentifyDecision { Claim.FirstNamedAs: IdentifierKind.Email } && !ids.IsNew(session!) ? claims.HasExternalWebhooks(company, session!.Number) : null,
            Pairs = [.. decision.Pairs.Select(pair => pairs.Defer(company, numbered.Node(pair.Left), numbered.Node(pair.Right), decision.Claim!.Trust, at.UnixMilliseconds))],
            Runs = decision is WebhookDecision webhook ? runs.Near(RunHolder.Of(company, webhook), at) : null,
        };
    }
}
