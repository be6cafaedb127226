using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Show;

namespace TrackMate.Tests.Model;

/// <summary>
/// The view as the rules define it, over everything that arrived, without an index, a counter or a table: what is right here is right by reading it beside the
/// rules (B1 to B16). It shares records and ids with the product, and no decision.
/// </summary>
internal sealed class NaiveView
{
    private readonly Company company;
    private readonly List<Message> stored = [];

    private readonly IReadOnlyCollection<OperatorAct> acts;

    private NaiveView(Company company, IEnumerable<Message> arrived, IReadOnlyCollection<OperatorAct> acts)
    {
        this.company = company;
        this.acts = acts;

        // B10: of one origin and eventId the first that came is stored, whatever the others say.
        var known = new HashSet<(Origin, string)>();
        foreach (var message in arrived)
        {
            if (known.Add((message.Order.Origin, message.EventId))) stored.Add(message);
        }
    }

    /// <param name="arrived">In the order of arrival.</param>
    /// <param name="acts">Those of operators that are not taken back.</param>
    public static View Of(Company company, IEnumerable<Message> arrived, IReadOnlyCollection<OperatorAct>? acts = null) => new NaiveView(company, arrived, acts ?? []).Show();

    /// <summary>Whose an event is: a person, or nobody but its session.</summary>
    private sealed record Owner(ProfileId? Person, string? NobodysSession);

    private sealed record Shownable(string EventId, EventOrder Order, string Type, TrackedEvent? Sent, Identify? Registered, Owner Owner);

    private sealed record SessionClaim(Message Message, bool IsIdentify, Trust Trust, ProfileId GoesTo)
    {
        public long Time => Message.Order.UnixMilliseconds;
    }

    private sealed record LedgerRow(MoneyKind Kind, decimal Amount, string Currency, Owner Owner);

    private sealed record Teller(TrackedEvent Event, MoneyKind Kind, decimal Amount, string Currency, HashSet<string> Keys, string? PaymentId, string? RefundId);

    private IEnumerable<TrackedEvent> Events => stored.OfType<TrackedEvent>();

    private IEnumerable<Identify> Identifies => stored.OfType<Identify>();

    // ---- Persons -------------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>The canonical id of the person that an identifier is of (B9, B13).</summary>
    private ProfileId PersonOf(ProfileId leaf) => MembersWith(leaf).OrderBy(KindOf).ThenBy(FirstNamed).ThenBy(member => member).First();

    private HashSet<ProfileId> MembersWith(ProfileId leaf) => (persons ??= Joined()).SingleOrDefault(person => person.Contains(leaf)) ?? [leaf];

    private List<HashSet<ProfileId>>? persons;

    /// <summary>What joined them, in the order in which it was taken.</summary>
    private readonly List<(ProfileId Left, ProfileId Right, Pair? Pair, OperatorAct.Merge? Merge)> joins = [];

    /// <param name="Session">Of a claim that follows from a session's identifies: that session.</param>
    private sealed record Pair(ProfileId Low, ProfileId High, Trust Trust, long Time, string EventId, string Session = "")
    {
        public bool Has(ProfileId leaf) => Low == leaf || High == leaf;
    }

    /// <summary>B12: whether an operator keeps the two apart.</summary>
    private bool IsKeptApart(Pair pair) => acts.Any(act => act switch
    {
        OperatorAct.RevokePair revoked => pair.Has(revoked.One) && pair.Has(revoked.Other),
        OperatorAct.Isolate isolated => pair.Has(isolated.Leaf),
        OperatorAct.Freeze frozen => pair.Has(frozen.Leaf) && pair.Time >= frozen.At,
        OperatorAct.UndoClaims undone => pair.Trust is Trust.Claimed && undone.Pairs.Any(other => pair.Has(other.One) && pair.Has(other.Other)),
        _ => false,
    });

    /// <summary>B13: verified pairs in order, each unless it would give a person two externalIds or too many e-mails; then the claimed ones that nothing contradicts.</summary>
    private List<HashSet<ProfileId>> Joined()
    {
        var joined = stored.SelectMany(message => message.Named).Select(identifier => identifier.Id).Distinct().Select(leaf => new HashSet<ProfileId> { leaf }).ToList();
        var pairs = Pairs();
        List<Pair> InOrder(Trust trust) =>
            [.. pairs.Where(pair => pair.Trust == trust).OrderBy(pair => pair.Time).ThenBy(pair => pair.EventId, ByBytes).ThenBy(pair => pair.Low).ThenBy(pair => pair.High)
                .DistinctBy(pair => (pair.Low, pair.High)).Where(pair => !IsKeptApart(pair))];
        bool Fits(Pair pair, int maxEmails)
        {
            var both = joined.Where(person => person.Contains(pair.Low) || person.Contains(pair.High)).SelectMany(person => person).ToList();
            return both.Count(leaf => KindOf(leaf) is IdentifierKind.External) <= 1 && both.Count(leaf => KindOf(leaf) is IdentifierKind.Email) <= maxEmails;
        }

        void Join(ProfileId left, ProfileId right, Pair? pair, OperatorAct.Merge? merge)
        {
            var both = joined.Where(person => person.Contains(left) || person.Contains(right)).ToList();
            if (both.Count > 1) joins.Add((left, right, pair, merge));
            foreach (var person in both) joined.Remove(person);
            joined.Add([.. both.SelectMany(person => person)]);
        }

        // Candidates are among the earliest so many of both sides. Where few hang together they are taken in the order of time, where many do each leaf chooses.
        var limits = company.Settings.JoinLimits;
        var verified = InOrder(Trust.Verified);
        bool Believed(Pair pair, ProfileId leaf) => verified.Where(other => other.Has(leaf)).Take(limits.Pairs).Contains(pair);
        var candidates = verified.FindAll(pair => Believed(pair, pair.Low) && Believed(pair, pair.High));
        foreach (var cluster in ClustersOf(candidates))
        {
            foreach (var pair in cluster.Count > limits.Cluster ? Chosen(cluster, candidates) : cluster)
            {
                if (cluster.Count > limits.Cluster || joined.Any(person => person.Contains(pair.Low) && person.Contains(pair.High)) || Fits(pair, company.Settings.MaxEmailsPerPerson)) Join(pair.Low, pair.High, pair, null);
            }
        }

        foreach (var pair in Claims(InOrder).Where(pair => Fits(pair, 1)).ToList()) Join(pair.Low, pair.High, pair, null);
        foreach (var merge in acts.OfType<OperatorAct.Merge>().OrderBy(merge => merge.At)) Join(merge.One, merge.Other, null, merge);
        return joined;
    }

    /// <summary>Pairs that hang together, whether or not they join.</summary>
    private static List<List<Pair>> ClustersOf(List<Pair> pairs)
    {
        var clusters = new List<List<Pair>>();
        foreach (var pair in pairs)
        {
            var near = clusters.FindAll(cluster => cluster.Any(other => other.Has(pair.Low) || other.Has(pair.High)));
            clusters.RemoveAll(near.Contains);
            clusters.Add([.. pairs.Where(other => other == pair || near.Any(cluster => cluster.Contains(other)))]);
        }

        return clusters;
    }

    /// <summary>An e-mail or a bare id chooses its earliest pair with an externalId, and the externalId takes the earliest of those that chose it.</summary>
    private List<Pair> Chosen(List<Pair> cluster, List<Pair> candidates)
    {
        Pair? ChoiceOf(ProfileId leaf) => candidates.Where(pair => pair.Has(leaf)).Take(company.Settings.JoinLimits.Choices).FirstOrDefault(pair => KindOf(pair.Low) is IdentifierKind.External || KindOf(pair.High) is IdentifierKind.External);
        var chosen = new List<Pair>();
        foreach (var external in cluster.SelectMany(pair => new[] { pair.Low, pair.High }).Distinct().Where(leaf => KindOf(leaf) is IdentifierKind.External))
        {
            var emails = 0;
            foreach (var pair in candidates.Where(pair => pair.Has(external)))
            {
                var other = pair.Low == external ? pair.High : pair.Low;
                if (KindOf(other) is IdentifierKind.External || ChoiceOf(other) != pair) continue;
                if (KindOf(other) is IdentifierKind.Email && ++emails > company.Settings.MaxEmailsPerPerson) continue;
                chosen.Add(pair);
            }
        }

        return chosen;
    }

    /// <summary>Claims by which two leaves may join: each is the other's earliest.</summary>
    private List<Pair> Claims(Func<Trust, List<Pair>> inOrder)
    {
        if (company.Settings.ClaimedJoins is ClaimedJoins.None) return [];
        if (company.Settings.ClaimedJoins is ClaimedJoins.All)
        {
            var claimed = inOrder(Trust.Claimed);
            return claimed.FindAll(pair => claimed.First(other => other.Has(pair.Low)) == pair && claimed.First(other => other.Has(pair.High)) == pair);
        }

        // Not where verified messages have ever named both sides; of each side the earliest few are looked at, of each session by itself.
        var claims = Pairs().Where(pair => pair.Trust is Trust.Claimed && !IsKeptApart(pair))
            .OrderBy(pair => pair.Time).ThenBy(pair => pair.EventId, ByBytes).ThenBy(pair => pair.Low).ThenBy(pair => pair.High).ThenBy(pair => pair.Session, StringComparer.Ordinal)
            .DistinctBy(pair => (pair.Low, pair.High, pair.Session)).ToList();
        bool IsEarly(Pair pair, ProfileId leaf) => claims.Where(other => other.Has(leaf)).Take(company.Settings.JoinLimits.Claims).Contains(pair);
        var allowed = claims.FindAll(pair => IsEarly(pair, pair.Low) && IsEarly(pair, pair.High) && !(IsVerified(pair.Low) && IsVerified(pair.High)));
        return allowed.FindAll(pair => allowed.First(other => other.Has(pair.Low)) == pair && allowed.First(other => other.Has(pair.High)) == pair);
    }

    private bool IsVerified(ProfileId leaf) =>
        stored.Any(message => (message is Identify { Trust: Trust.Verified } || message.Order.Origin is Origin.Server) && message.Named.Any(identifier => identifier.Id == leaf));

    private IEnumerable<Pair> Pairs()
    {
        Pair Of(ProfileId left, ProfileId right, Trust trust, Message message, string session = "") =>
            left.CompareTo(right) < 0 ? new(left, right, trust, message.Order.UnixMilliseconds, message.EventId, session) : new(right, left, trust, message.Order.UnixMilliseconds, message.EventId, session);
        foreach (var message in stored)
        {
            var trust = message is Identify identify ? identify.Trust : Trust.Verified;
            for (var i = 1; i < message.Named.Count; i++)
            {
                if (message.Named[i - 1].Id != message.Named[i].Id) yield return Of(message.Named[i - 1].Id, message.Named[i].Id, trust, message);
            }

            // A back end's externalId and session, without an e-mail, propose the e-mail of that session's identify.
            if (message is TrackedEvent { SessionId: { } session } sent && sent.Named.All(identifier => identifier.Kind is not IdentifierKind.Email)
                && sent.Named.FirstOrDefault(identifier => identifier.Kind is IdentifierKind.External) is { } external)
            {
                if (!ClaimsOn(session).Any(claim => claim.Message == message)) continue;
                var identifies = ClaimsOn(session).Where(claim => claim.IsIdentify && KindOf(claim.GoesTo) is IdentifierKind.Email).ToList();
                if ((identifies.LastOrDefault(claim => claim.Time <= sent.Order.UnixMilliseconds) ?? identifies.FirstOrDefault()) is { } claim) yield return Of(external.Id, claim.GoesTo, Trust.Claimed, sent, session);
            }
        }
    }

    private IdentifierKind KindOf(ProfileId leaf) => Leaves.FirstOrDefault(other => other.Id == leaf)?.Kind ?? IdentifierKind.Bare;

    private long FirstNamed(ProfileId leaf) =>
        stored.Where(message => message.Named.Any(identifier => identifier.Id == leaf && identifier.Kind is not IdentifierKind.Bare)).Select(message => message.Order.UnixMilliseconds).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>Every identifier that a message named by itself, not only by its id.</summary>
    private IEnumerable<Identifier> Leaves => stored.SelectMany(message => message.Named).Where(identifier => identifier.Kind is not IdentifierKind.Bare).DistinctBy(identifier => identifier.Id);

    private static ProfileId SessionGoesTo(Message message) =>
        message.Named.OrderBy(identifier => identifier.Kind switch { IdentifierKind.Email => 0, IdentifierKind.External => 1, _ => 2 }).First().Id;

    // ---- Sessions (B2, B6, B8) -----------------------------------------------------------------------------------------------------------------------------

    /// <summary>claims(S), by (time, verified last, eventId): those that are not revoked and not one too many of their day.</summary>
    private List<SessionClaim> ClaimsOn(string session) =>
        standing.TryGetValue(session, out var known) ? known : standing[session] = SaidOf(session).FindAll(claim => !IsRevoked(session, claim) && (claim.Trust is Trust.Verified || !IsLate(session, claim.GoesTo)));

    private readonly Dictionary<string, List<SessionClaim>> standing = [];

    private bool IsRevoked(string session, SessionClaim claim) => acts.OfType<OperatorAct.RevokeClaim>().Any(revoked => revoked.Session == session && revoked.Leaf == claim.GoesTo)
        || (claim.Trust is Trust.Claimed && acts.OfType<OperatorAct.UndoClaims>().Any(undone => undone.Sessions.Contains((session, claim.GoesTo))));

    /// <summary>B13: whether so many sessions claimed the identifier earlier on the day of this session's first claim.</summary>
    private bool IsLate(string session, ProfileId leaf)
    {
        SessionClaim? First(string other) => SaidOf(other).FindAll(claim => claim.Trust is Trust.Claimed && claim.GoesTo == leaf && !IsRevoked(other, claim)).OrderBy(claim => claim.Time).ThenBy(claim => claim.Message.EventId, ByBytes).FirstOrDefault();
        if (First(session) is not { } first) return false;
        return stored.Select(message => message.SessionId).OfType<string>().Distinct().Select(First).OfType<SessionClaim>()
            .Count(other => Math.DivRem(other.Time, 86_400_000).Quotient == Math.DivRem(first.Time, 86_400_000).Quotient
                && (other.Time < first.Time || (other.Time == first.Time && ByBytes.Compare(other.Message.EventId, first.Message.EventId) < 0))) >= company.Settings.NewSessionsPerDay;
    }

    private List<SessionClaim> SaidOf(string session) =>
        [.. stored.Where(message => message.SessionId == session && message.Named.Count > 0)
            .Select(message => message is Identify identify
                ? new SessionClaim(message, IsIdentify: true, identify.Trust, SessionGoesTo(message))
                : new SessionClaim(message, IsIdentify: false, Trust.Verified, SessionGoesTo(message)))
            .OrderBy(claim => claim.Time).ThenBy(claim => claim.Trust).ThenBy(claim => claim.Message.EventId, ByBytes).ThenBy(claim => !claim.IsIdentify)];

    /// <summary>The claims that change hands: identifies, and webhooks that name nobody who was claimed for the session before; of one time only the last.</summary>
    private List<SessionClaim> OpeningsOf(string session)
    {
        var openings = new List<SessionClaim>();
        var claimed = new HashSet<ProfileId>();
        foreach (var claim in ClaimsOn(session))
        {
            if (claim.IsIdentify || !claim.Message.Named.Any(identifier => claimed.Contains(identifier.Id))) openings.Add(claim);
            foreach (var identifier in claim.Message.Named) claimed.Add(identifier.Id);
        }

        return [.. openings.GroupBy(claim => claim.Time).Select(sameTime => sameTime.Last())];
    }

    /// <summary>The claim that a session's time stands on: the last opening until then, else the first one; of openings in a row for one identifier, the first.</summary>
    private SessionClaim? ClaimAt(string session, long time)
    {
        if (IsFree(session, time)) return null;
        var openings = OpeningsOf(session);
        if (openings.Count == 0) return null;
        var at = Math.Max(0, openings.FindLastIndex(claim => claim.Time <= time));
        while (at > 0 && openings[at - 1].GoesTo == openings[at].GoesTo) at--;
        return openings[at];
    }

    /// <summary>B12: whether an operator says that the session is nobody's then.</summary>
    private bool IsFree(string session, long time) => acts.OfType<OperatorAct.Unbind>().Any(free => free.Session == session && free.From <= time && time < free.To);

    private bool Stands(Identify identify) => ClaimsOn(identify.SessionId!).Any(claim => claim.Message == identify);

    private Owner OwnerAt(string session, long time) => ClaimAt(session, time) is { } claim ? new(PersonOf(claim.GoesTo), null) : new(null, session);

    private Owner OwnerOf(TrackedEvent sent) =>
        sent.Named.Count > 0 ? new(PersonOf(sent.Named[0].Id), null) : OwnerAt(sent.SessionId!, sent.Order.UnixMilliseconds);

    // ---- Timelines -----------------------------------------------------------------------------------------------------------------------------------------

    private Shownable Show(TrackedEvent sent) => new(sent.EventId, sent.Order, sent.Type, sent, null, OwnerOf(sent));

    /// <summary>B3: the earliest identify of a person, unless a sent one is on its timeline or the company does not want it.</summary>
    private Shownable? RegistrationOf(ProfileId person)
    {
        var earliest = Identifies.Where(identify => Stands(identify) && !IsFree(identify.SessionId!, identify.Order.UnixMilliseconds) && PersonOf(SessionGoesTo(identify)) == person)
            .OrderBy(identify => identify.Order.UnixMilliseconds).ThenBy(identify => identify.EventId, ByBytes).FirstOrDefault();
        if (earliest is null || !company.Settings.UserRegistered || Events.Any(sent => sent.Type == "user_registered" && OwnerOf(sent).Person == person)) return null;
        return new("reg_" + person, EventOrder.Of(earliest.Order.UnixMilliseconds, Origin.Browser), "user_registered", null, earliest, new(person, null));
    }

    private List<Shownable> TimelineOf(ProfileId person)
    {
        var events = Events.Select(Show).Where(shown => shown.Owner.Person == person).ToList();
        if (RegistrationOf(person) is { } registration) events.Add(registration);
        return InOrder(events);
    }

    private static List<Shownable> InOrder(IEnumerable<Shownable> events) => [.. events.OrderBy(shown => shown.Order.Value).ThenBy(shown => shown.EventId, ByBytes)];

    // ---- Server sessions (B7) ------------------------------------------------------------------------------------------------------------------------------

    private List<List<Shownable>> ServerSessionsOf(Owner owner)
    {
        var sessions = new List<List<Shownable>>();
        foreach (var shown in InOrder(Events.Where(sent => sent.Order.Origin is Origin.Server).Select(Show).Where(shown => shown.Owner == owner)))
        {
            if (sessions.Count == 0 || shown.Order.UnixMilliseconds - sessions[^1][^1].Order.UnixMilliseconds >= company.Settings.ServerSessionGapMinutes * 60_000L) sessions.Add([]);
            sessions[^1].Add(shown);
        }

        return sessions;
    }

    private string ServerSessionIdOf(Shownable shown)
    {
        var first = ServerSessionsOf(shown.Owner).Single(session => session.Any(other => other.EventId == shown.EventId))[0];
        return company.Anchor(first.Order.UnixMilliseconds, first.EventId);
    }

    // ---- Money ---------------------------------------------------------------------------------------------------------------------------------------------

    private List<LedgerRow> Ledger()
    {
        var rows = new List<LedgerRow>();
        foreach (var payment in Payments())
        {
            foreach (var row in payment.GroupBy(teller => teller.Kind is MoneyKind.Payment ? "" : teller.RefundId is { } id ? "refund " + id : "event " + teller.Event.EventId))
            {
                var first = row.OrderBy(teller => teller.Event.Order.UnixMilliseconds).ThenBy(teller => teller.Event.EventId, ByBytes).First();
                rows.Add(new(first.Kind, first.Amount, first.Currency, OwnerOf(first.Event)));
            }
        }

        return rows;
    }

    /// <summary>
    /// Two paymentIds are two payments. A teller without one belongs to the earliest payment with which it shares a key, directly or else through those that belong to
    /// one already; those who reach none that way and share keys among themselves tell of one payment.
    /// </summary>
    private List<List<Teller>> Payments()
    {
        var tellers = Events.Where(sent => sent.Order.Origin is Origin.Server).Select(TellerOf).OfType<Teller>().ToList();
        var named = tellers.Where(teller => teller.PaymentId is not null).GroupBy(teller => teller.PaymentId)
            .OrderBy(payment => payment.Min(teller => teller.Event.Order.UnixMilliseconds))
            .ThenBy(payment => payment.OrderBy(teller => teller.Event.Order.UnixMilliseconds).ThenBy(teller => teller.Event.EventId, ByBytes).First().Event.EventId, ByBytes)
            .Select(payment => payment.ToList()).ToList();
        var others = tellers.Where(teller => teller.PaymentId is null).ToList();
        while (true)
        {
            var found = others.Select(teller => (teller, payment: named.FirstOrDefault(payment => payment.Any(member => member.Keys.Overlaps(teller.Keys))))).Where(one => one.payment is not null).ToList();
            if (found.Count == 0) break;
            foreach (var (teller, payment) in found) payment!.Add(teller);
            others.RemoveAll(teller => found.Any(one => one.teller == teller));
        }

        var payments = others.ConvertAll(teller => new List<Teller> { teller });
        for (var i = 0; i < payments.Count; i++)
        {
            for (var j = i + 1; j < payments.Count; j++)
            {
                if (!payments[i].Any(left => payments[j].Any(right => left.Keys.Overlaps(right.Keys)))) continue;
                payments[i].AddRange(payments[j]);
                payments.RemoveAt(j);
                j = i;
            }
        }

        return [.. named, .. payments];
    }

    private Teller? TellerOf(TrackedEvent sent)
    {
        var pays = company.Settings.PaymentTypes.Contains(sent.Type);
        if (!pays && !company.Settings.RefundTypes.Contains(sent.Type)) return null;
        var data = JsonElement.Parse(sent.Data.Span);
        string? Text(string name) => data.TryGetProperty(name, out var value) ? value.ToString() : null;

        // Of digits only they match within their own field, and orderId and order_id are one.
        string? Key(string name) => Text(name) is not { } text ? null : text.All(char.IsAsciiDigit) ? $"{name.Replace("order_id", "orderId")} {text}" : text;
        if ((Text("amount") ?? (pays ? Text("revenue") : null) ?? Text("total")) is not { } amount) return null;
        // A payment of less than nothing is none; a refund is what it is without its sign.
        if (pays && decimal.Parse(amount) < 0) return null;
        return new(
            sent,
            pays ? MoneyKind.Payment : MoneyKind.Refund,
            pays ? decimal.Parse(amount) : Math.Abs(decimal.Parse(amount)),
            Text("currency") ?? company.Settings.Currency,
            [.. new[] { "paymentId", "payment_intent", "charge", "orderId", "order_id" }.Select(Key).OfType<string>()],
            Key("paymentId"),
            Text("refundId"));
    }

    // ---- What counts of browsers' events -------------------------------------------------------------------------------------------------------------------

    /// <summary>Whether a back end, or a signed token, has named one of a person's identifiers.</summary>
    private bool IsKnown(ProfileId person)
    {
        if (known.TryGetValue(person, out var isKnown)) return isKnown;
        return known[person] = stored.Any(message => message is TrackedEvent or Identify { Trust: Trust.Verified } && message.Named.Any(identifier => PersonOf(identifier.Id) == person));
    }

    private readonly Dictionary<ProfileId, bool> known = [];

    private bool IsTooOld(Message message) => company.Settings.MaxBrowserEventAgeDays is { } days && message.Order.Origin is Origin.Browser && message is not Identify { Trust: Trust.Verified }
        && (message.ReceivedAt - message.Order.UnixMilliseconds > days * 86_400_000L || message.Order.UnixMilliseconds - message.ReceivedAt > 3_600_000);

    private string? NotCounted(ProfileId person, Shownable shown)
    {
        if (shown.Order.Origin is not Origin.Browser || (company.Settings.MaxBrowserEventAgeDays ?? company.Settings.MaxSessionEventsPerDay) is null || !IsKnown(person)) return null;
        if (IsTooOld((Message?)shown.Sent ?? shown.Registered!)) return "too_old";
        if (company.Settings.MaxSessionEventsPerDay is not { } most || shown.Sent is not { } sent) return null;
        var earlier = InOrder(Events.Where(other => other.Order.Origin is Origin.Browser && other.SessionId == sent.SessionId && !IsTooOld(other)
            && Math.DivRem(other.Order.UnixMilliseconds, 86_400_000).Quotient == Math.DivRem(sent.Order.UnixMilliseconds, 86_400_000).Quotient).Select(Show).Where(other => other.Owner.Person == person))
            .TakeWhile(other => other.EventId != shown.EventId).Count();
        return earlier >= most ? "too_many" : null;
    }

    // ---- Documents -----------------------------------------------------------------------------------------------------------------------------------------

    private View Show()
    {
        var persons = Leaves.Select(leaf => PersonOf(leaf.Id)).Distinct().OrderBy(person => person.ToString(), StringComparer.Ordinal).ToList();
        var timelines = persons.ConvertAll(person => (person.ToString(), (IReadOnlyList<TimelineEvent>)[.. TimelineOf(person).Select(ShowOnTimeline).Reverse()]));
        var sessions = stored.Select(message => message.SessionId).OfType<string>().Distinct().Order(StringComparer.Ordinal).Select(session => (session, BrowserSession(session))).ToList();
        var anchors = Events.Where(sent => sent.Order.Origin is Origin.Server).Select(Show)
            .Select(shown => (company.Anchor(shown.Order.UnixMilliseconds, shown.EventId), ServerSession(shown))).OrderBy(session => session.Item1, StringComparer.Ordinal);
        return new(persons.ConvertAll(Profile), timelines, [.. sessions, .. anchors]);
    }

    private ProfileDocument Profile(ProfileId person)
    {
        var members = MembersWith(person).OrderBy(KindOf).ThenBy(FirstNamed).ThenBy(member => member).ToList();
        var leaves = members.Select(member => Leaves.FirstOrDefault(leaf => leaf.Id == member)).OfType<Identifier>().ToList();
        var timeline = TimelineOf(person);
        var counted = timeline.FindAll(shown => NotCounted(person, shown) is null);
        var naming = stored.FindAll(message => message.Named.Any(identifier => identifier.Kind is not IdentifierKind.Bare && PersonOf(identifier.Id) == person));
        if (company.Settings.MaxBrowserEventAgeDays is not null && IsKnown(person) && naming.Exists(message => !IsTooOld(message))) naming.RemoveAll(IsTooOld);
        var said = TraitsOf(person);
        var traits = said.ToDictionary(trait => trait.Trait.Name, trait => JsonElement.Parse(trait.Trait.Json), StringComparer.Ordinal);
        var trusts = said.ToDictionary(trait => trait.Trait.Name, trait => Name(trait.Trust), StringComparer.Ordinal);
        return new(
            person.ToString(),
            company.CompanyId,
            leaves.FirstOrDefault(leaf => leaf.Kind is IdentifierKind.Email)?.Value,
            traits.TryGetValue("name", out var name) && name.ValueKind is JsonValueKind.String ? name.GetString() : null,
            traits,
            Time(naming.Min(message => message.Order.UnixMilliseconds)),
            counted.Count == 0 ? null : Time(counted.Min(shown => shown.Order.UnixMilliseconds)),
            counted.Count == 0 ? null : Time(counted.Max(shown => shown.Order.UnixMilliseconds)),
            new(
                counted.Count,
                new(counted.Where(shown => shown.Order.Origin is Origin.Browser).Select(SessionIdOf).Distinct().Count(), ServerSessionsOf(new(person, null)).Count),
                [.. Ledger().Where(row => row.Owner.Person == person).GroupBy(row => row.Currency).OrderBy(rows => rows.Key, StringComparer.Ordinal)
                    .Select(rows => new RevenueDocument(rows.Key, Amount(rows.Sum(row => row.Kind is MoneyKind.Payment ? row.Amount : -row.Amount), rows.Key)))]),
            [.. members.Select(ShowIdentifier)],
            trusts,
            timeline.Exists(shown => shown.Order.Origin is Origin.Server)
                ? new(Time(timeline.Where(shown => shown.Order.Origin is Origin.Server).Min(shown => shown.Order.UnixMilliseconds)), Time(timeline.Where(shown => shown.Order.Origin is Origin.Server).Max(shown => shown.Order.UnixMilliseconds)))
                : null);
    }

    /// <summary>B15: of each trait the verified before the claimed, then the latest.</summary>
    private List<(Trait Trait, Trust Trust)> TraitsOf(ProfileId person) =>
        [.. Identifies.Where(identify => Stands(identify) && PersonOf(SessionGoesTo(identify)) == person)
            .SelectMany(identify => identify.Traits.Select(trait => (Identify: identify, Trait: trait)))
            .GroupBy(said => said.Trait.Name)
            .Select(said => said.OrderBy(said => said.Identify.Trust).ThenBy(said => said.Identify.Order.UnixMilliseconds).ThenBy(said => said.Identify.EventId, ByBytes).Last())
            .Select(said => (said.Trait, said.Identify.Trust))
            .Where(said => said.Trait.Json != "null")
            .OrderBy(said => said.Trait.Name, StringComparer.Ordinal)];

    private static string SessionIdOf(Shownable shown) => (shown.Sent?.SessionId ?? shown.Registered?.SessionId)!;

    private TimelineEvent ShowOnTimeline(Shownable shown) => new(
        shown.EventId,
        shown.Type,
        shown.Sent is { } sent ? JsonElement.Parse(sent.Data.Span) : JsonElement.Parse("{}"),
        shown.Sent is { Context.IsEmpty: false } withContext ? JsonElement.Parse(withContext.Context.Span) : null,
        Time(shown.Order.UnixMilliseconds),
        Time(shown.Sent?.ReceivedAt ?? shown.Registered!.ReceivedAt),
        shown.Order.Origin is Origin.Browser ? "client" : "server",
        shown.Order.Origin is Origin.Browser ? SessionIdOf(shown) : ServerSessionIdOf(shown),
        shown.Owner.Person.ToString(),
        shown.Sent?.Agent is { } agent ? new(agent.Browser, agent.System, agent.Device, agent.Bot) : null,
        BindingOf(shown),
        NotCounted(shown.Owner.Person!.Value, shown));

    /// <summary>B12: why it is here, a link at a time.</summary>
    private BindingDocument BindingOf(Shownable shown)
    {
        List<ChainLink> chain = [new("event", EventId: shown.EventId, At: Time(shown.Order.UnixMilliseconds))];
        ProfileId leaf;
        string method;
        var trust = Trust.Verified;
        if (shown.Sent is { Named: [var named, ..] })
        {
            leaf = named.Id;
            method = named.Kind switch { IdentifierKind.Email => "email", IdentifierKind.External => "externalId", _ => "userId" };
        }
        else
        {
            var session = SessionIdOf(shown);
            var claim = shown.Registered is { } registered ? new(registered, IsIdentify: true, registered.Trust, SessionGoesTo(registered)) : ClaimAt(session, shown.Order.UnixMilliseconds)!;
            leaf = claim.GoesTo;
            method = shown.Order.Origin is Origin.Browser ? "identify" : "sessionId";
            trust = shown.Registered is not null
                ? claim.Trust
                : ClaimsOn(session).Where(other => other.Message.Named.Any(identifier => identifier.Id == leaf)).Max(other => other.Trust);
            chain.Add(new("session", SessionId: session));
            chain.Add(new("claim", ClaimId: ClaimIds.Of(claim.Message.Order.Origin, claim.Message.EventId), Method: claim.IsIdentify ? "identify" : "webhook", Trust: Name(claim.Trust),
                At: Time(claim.Time), EventId: claim.Message.EventId, SessionId: session));
        }

        chain.Add(new("identifier", Identifier: ShowIdentifier(leaf)));
        foreach (var (join, next) in PathFrom(leaf, shown.Owner.Person!.Value))
        {
            if (join.Merge is { } merge)
            {
                method = "merge";
                chain.Add(new("merge", MergeId: merge.Name, At: Time(merge.At)));
            }
            else
            {
                if (join.Pair!.Trust is Trust.Claimed) trust = Trust.Claimed;
                chain.Add(new("join", ClaimId: $"p{join.Pair.Low}{join.Pair.High}", Trust: Name(join.Pair.Trust), At: Time(join.Pair.Time), EventId: join.Pair.EventId));
            }

            chain.Add(new("identifier", Identifier: ShowIdentifier(next)));
        }

        chain.Add(new("profile", ProfileId: shown.Owner.Person.ToString()));
        return new(method, Name(trust), chain);
    }

    /// <summary>The joins from one identifier of a person to another: they make a tree, so there is one way.</summary>
    private List<((ProfileId Left, ProfileId Right, Pair? Pair, OperatorAct.Merge? Merge) Join, ProfileId Next)> PathFrom(ProfileId from, ProfileId to, ProfileId? before = null)
    {
        if (from == to) return [];
        foreach (var join in joins.Where(join => join.Left == from || join.Right == from))
        {
            var next = join.Left == from ? join.Right : join.Left;
            if (next == before) continue;
            if (next == to) return [(join, next)];
            if (PathFrom(next, to, from) is { Count: > 0 } path) return [(join, next), .. path];
        }

        return [];
    }

    private SessionDocument BrowserSession(string session)
    {
        var registrations = Leaves.Select(leaf => PersonOf(leaf.Id)).Distinct().Select(RegistrationOf).OfType<Shownable>();
        var events = Events.Where(sent => sent.Order.Origin is Origin.Browser).Select(Show).Concat(registrations).Where(shown => SessionIdOf(shown) == session);
        return ShowSession(session, OwnerAt(session, long.MaxValue - 1), InOrder(events));
    }

    private SessionDocument ServerSession(Shownable member)
    {
        var events = ServerSessionsOf(member.Owner).Single(session => session.Any(other => other.EventId == member.EventId));
        return ShowSession(company.Anchor(events[0].Order.UnixMilliseconds, events[0].EventId), member.Owner, events);
    }

    private SessionDocument ShowSession(string session, Owner owner, IEnumerable<Shownable> events) => new(
        company.KeyedId("session", session).ToString(),
        company.CompanyId,
        session,
        owner.Person?.ToString(),
        [.. events.Select(shown => new SessionEvent(
            shown.EventId, shown.Type, JsonElement.Parse(shown.Sent is { } sent ? sent.Data.Span : "{}"u8), Time(shown.Order.UnixMilliseconds), shown.Owner.Person?.ToString()))],
        null);

    private IdentifierDocument ShowIdentifier(ProfileId id) => Leaves.FirstOrDefault(leaf => leaf.Id == id) is { } leaf
        ? new(leaf.Kind is IdentifierKind.Email ? "email" : "externalId", leaf.Value, leaf.Id.ToString())
        : new("userId", id.ToString(), id.ToString());

    private static string Name(Trust trust) => trust is Trust.Verified ? "verified" : "claimed";

    private static string Time(long unixMilliseconds)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);
        return time.Millisecond == 0 ? time.ToString("yyyy-MM-ddTHH:mm:ss") + "Z" : time.ToString("yyyy-MM-ddTHH:mm:ss.fff") + "Z";
    }

    private static string Amount(decimal amount, string currency) => amount.ToString(currency switch { "JPY" => "0.#########", "KWD" => "0.000######", _ => "0.00#######" });

    /// <summary>As every store compares text: by its bytes in UTF-8.</summary>
    private static readonly Comparer<string> ByBytes = Comparer<string>.Create((left, right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right)));
}
