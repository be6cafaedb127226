using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Timeline;

namespace TrackMate.Tests.Model;

/// <summary>What one company was told: messages in the order in which they were first sent. Of those with one origin and eventId the first is what is stored.</summary>
/// <param name="Seed">What the orders of arrival are drawn from.</param>
/// <param name="Acts">What operators do, in this order, between the messages.</param>
internal sealed record History(CompanySettings Settings, IReadOnlyList<Message> Messages, IReadOnlyList<OperatorAct> Acts, int Seed)
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];

    /// <summary>The company under another number each time it is played, so that one store holds them all and what they show can be compared by its bytes.</summary>
    public static Company CompanyOf(long number, CompanySettings settings) => new(number, "TM-HISTORY", "History", Secret, settings);

    /// <summary>What is stored of it in any order of arrival (B10).</summary>
    public IReadOnlyList<Message> Stored => [.. Messages.DistinctBy(KeyOf)];

    /// <summary>An order of arrival at a company, with repeats; a message that uses another's eventId again comes after it.</summary>
    public List<Message> Arrival(int order, Company company) => Arrival(order).ConvertAll(message => message with { Company = company });

    private List<Message> Arrival(int order)
    {
        var random = new Random(HashCode.Combine(Seed, order));
        var repeats = Messages.Where(_ => random.Next(4) == 0).ToList();
        Message[] arrival = [.. Messages, .. repeats];
        if (order == 0) return [.. arrival];
        random.Shuffle(arrival);

        var firsts = Messages.GroupBy(KeyOf).ToDictionary(copies => copies.Key, copies => copies.First());
        var arrived = new HashSet<(Origin, string)>();
        for (var i = 0; i < arrival.Length; i++)
        {
            var first = firsts[KeyOf(arrival[i])];
            if (!arrived.Add(KeyOf(first)) || ReferenceEquals(arrival[i], first)) continue;
            var other = Array.FindIndex(arrival, message => ReferenceEquals(message, first));
            (arrival[i], arrival[other]) = (arrival[other], arrival[i]);
        }

        return [.. arrival];
    }

    public override string ToString()
    {
        var text = new StringBuilder($"seed {Seed}, gap {Settings.ServerSessionGapMinutes} min, user_registered {(Settings.UserRegistered ? "on" : "off")}, {Settings.MaxEmailsPerPerson} e-mails, {Settings.NewSessionsPerDay} sessions a day, {Settings.MaxBrowserEventAgeDays} days, {Settings.MaxSessionEventsPerDay} events a day, claimed joins {Settings.ClaimedJoins}, {Settings.JoinLimits}\n");
        foreach (var act in Acts) text.AppendLine($"  ACT {act}");
        foreach (var message in Messages)
        {
            text.Append($"  {message.Order.Origin} '{message.EventId}' {DateTimeOffset.FromUnixTimeMilliseconds(message.Order.UnixMilliseconds):MM-dd HH:mm:ss.fff}+{message.Order.Value & 1023}")
                .Append(message.SessionId is { } session ? $" in {session}" : "")
                .Append(string.Concat(message.Named.Select(identifier => $" {identifier.Kind}={identifier.Value}")))
                .AppendLine(message is TrackedEvent tracked ? $" {tracked.Type} {Encoding.UTF8.GetString(tracked.Data.Span)}{(tracked.Agent?.Bot is true ? " bot" : "")}" : $" IDENTIFY {((Identify)message).Trust} {string.Join(' ', ((Identify)message).Traits)}");
        }

        return text.ToString();
    }

    private static (Origin Origin, string EventId) KeyOf(Message message) => (message.Order.Origin, message.EventId);
}

/// <summary>Random histories in a small world, so that everything meets: shared devices, early and late webhooks, equal times, back-dated identifies, payments told twice.</summary>
internal static class Histories
{
    /// <summary>2025-10-18T00:00:00Z.</summary>
    private const long Start = 1_760_745_600_000;

    private static readonly Company Naming = History.CompanyOf(0, new());

    private static readonly Gen<string> Session = Gen.OneOf("session_1729260000_laptop", "session_1729260001_phone", "webhook_1760745600_0123456789abcdef");
    private static readonly Gen<Identifier> Email = Gen.OneOf("ann@shop.com", "bob@shop.com", "eve@shop.com").Select(value => Identifier.Email(Naming, value));
    private static readonly Gen<Identifier> External = Gen.OneOf("41", "42").Select(value => Identifier.External(Naming, value));

    /// <summary>Ids of identifiers: some named elsewhere, sooner or later, and one that never is.</summary>
    private static readonly Gen<Identifier> UserId = Gen.OneOf(Email, External, Gen.Const(Identifier.Email(Naming, "ghost@shop.com"))).Select(identifier => Identifier.Bare(identifier.Id));

    /// <summary>Few moments, so that many are equal, a gap apart to the millisecond, or on either side of midnight.</summary>
    private static readonly Gen<long> Time = Gen.Frequency(
        (3, Gen.OneOf(0L, 1, 600_000, 1_200_000, 1_799_999, 1_800_000, 1_800_001, 3_600_000, 5_400_000)),
        (2, Gen.OneOf(59_999L, 60_000, 60_001, 43_200_000, 84_599_999, 84_600_000, 86_399_999, 86_400_000, 86_400_001, 88_200_000)),
        (1, Gen.Long[0, 4 * 86_400_000L])).Select(offset => Start + offset);

    /// <summary>How long after their time messages come: mostly at once; some were in a pocket for days, and some are of the future.</summary>
    private static readonly Gen<long> Late = Gen.Frequency((8, Gen.Const(1234L)), (1, Gen.OneOf(86_400_000L, 86_400_001, 3 * 86_400_000L, 40 * 86_400_000L)), (1, Gen.OneOf(-3_600_000L, -3_600_001)));

    private static readonly Gen<int> Index = Gen.Frequency((6, Gen.Const(0)), (1, Gen.Int[1, 3]));

    /// <summary>Enough of them that most are used once; some compare otherwise in UTF-16 than in UTF-8.</summary>
    private static readonly Gen<string> EventId = Gen.Frequency(
        (8, Gen.Int[0, 150].Select(number => "evt_" + number)),
        // What a browser and a server both call so is two messages.
        (1, Gen.Const("both")),
        (1, Gen.OneOf("Z", "a", "aa", "é", "\uffee", "\U0001f600", "\U0001f601", "evt_1x")));

    private static readonly Gen<string> Data = Gen.OneOf("{}", """{"address":"https://shop.com/"}""", """{ "text" : "ünï", "list":[1,2.50] }""");

    /// <summary>Few values in every field, so that payments are told by several, split by their ids, and chained through what else tells of them.</summary>
    private static readonly Gen<string> Keys = Gen.Select(
        Gen.OneOf("\"paymentId\"", "\"payment_intent\"", "\"charge\"", "\"orderId\"", "\"order_id\""),
        Gen.OneOf("\"p1\"", "\"p2\"", "\"o1\"", "1", "\"1\"", "2"),
        (field, value) => (Field: field, Value: value)).Array[0, 3]
        .Select(keys => string.Concat(keys.DistinctBy(key => key.Field).Select(key => $",{key.Field}:{key.Value}")));

    private static readonly Gen<string> Money = Gen.Select(
        Gen.OneOf("\"amount\":79.99", "\"amount\":\"10.5\"", "\"total\":100", "\"revenue\":3.001", "\"amount\":0.1", "\"price\":1", "\"amount\":\"-16.13\"", "\"amount\":-2"),
        Gen.OneOf("", ",\"currency\":\"USD\"", ",\"currency\":\"JPY\"", ",\"currency\":\"KWD\""),
        Keys,
        Gen.OneOf("", "", ",\"refundId\":\"r1\"", ",\"refundId\":\"r2\""),
        (amount, currency, keys, refund) => "{" + amount + currency + keys + refund + "}");

    private static readonly Gen<(string Type, string Data)> Said = Gen.Frequency(
        (6, Gen.Select(Gen.OneOf("page_view", "add_to_cart", "order_shipped"), Data)),
        (3, Gen.Select(Gen.OneOf("payment_processed", "Order Completed", "payment_refunded", "refund_processed"), Money)),
        (1, Gen.Select(Gen.Const("user_registered"), Data)));

    private static readonly Gen<Agent?> Agent = Gen.OneOf(null, null, new Agent("Chrome", "Windows", "desktop", Bot: false), new Agent("Googlebot", "", "", Bot: true));

    private static readonly Gen<Message> BrowserEvent = Gen.Select(Session, EventId, Time, Index, Said, Agent, Gen.Bool, Late, (session, eventId, time, index, said, agent, context, late) => (Message)new TrackedEvent
    {
        Company = Naming,
        EventId = eventId,
        Order = EventOrder.Of(time, Origin.Browser, index),
        ReceivedAt = time + late,
        SessionId = session,
        Type = said.Type,
        Data = Encoding.UTF8.GetBytes(said.Data),
        Context = context ? """{"language":"de"}"""u8.ToArray() : default,
        Agent = agent,
    });

    private static readonly Gen<IReadOnlyList<Identifier>> Persons = Gen.Frequency(
        (5, Email.Select(email => (IReadOnlyList<Identifier>)[email])),
        (2, External.Select(external => (IReadOnlyList<Identifier>)[external])),
        (2, Gen.Select(Email, External, (email, external) => (IReadOnlyList<Identifier>)[email, external])));

    private static readonly Gen<IReadOnlyList<Trait>> Traits = Gen.OneOf<IReadOnlyList<Trait>>(
        [], [], [new("name", "\"Ann\"")], [new("name", "\"Bob\""), new("plan", "{\"seats\":3}")], [new("plan", "null")], [new("name", "null")], [new("name", "7")]);

    private static readonly Gen<Message> IdentifyMessage = Gen.Select(Session, EventId, Time, Index, Persons, Traits, Gen.Frequency((5, Gen.Const(Trust.Claimed)), (1, Gen.Const(Trust.Verified))), Late, (session, eventId, time, index, persons, traits, trust, late) => (Message)new Identify
    {
        Company = Naming,
        EventId = eventId,
        Order = EventOrder.Of(time, Origin.Browser, index),
        ReceivedAt = time + late,
        SessionId = session,
        Named = persons,
        Trust = trust,
        Traits = traits,
    });

    private static readonly Gen<(IReadOnlyList<Identifier> Named, string? Session)> Addressees = Gen.Frequency(
        (3, Session.Select(session => ((IReadOnlyList<Identifier>)[], (string?)session))),
        (4, Persons.Select(named => (named, (string?)null))),
        (3, Gen.Select(Persons, Session, (named, session) => (named, (string?)session))),
        (2, UserId.Select(userId => ((IReadOnlyList<Identifier>)[userId], (string?)null))),
        (1, Gen.Select(UserId, Session, (userId, session) => ((IReadOnlyList<Identifier>)[userId], (string?)session))),
        (1, Gen.Select(UserId, Persons, Session, (userId, named, session) => ((IReadOnlyList<Identifier>)[userId, .. named], (string?)session))));

    private static readonly Gen<Message> Webhook = Gen.Select(Addressees, EventId, Time, Index, Said, (addressees, eventId, time, index, said) => (Message)new TrackedEvent
    {
        Company = Naming,
        EventId = eventId,
        Order = EventOrder.Of(time, Origin.Server, index),
        ReceivedAt = time + 1234,
        SessionId = addressees.Session,
        Named = addressees.Named,
        Type = said.Type,
        Data = Encoding.UTF8.GetBytes(said.Data),
    });

    /// <summary>Those of a company, and some that are met in a small world.</summary>
    internal static readonly Gen<JoinLimits> Limits = Gen.Frequency(
        (2, Gen.Const(new JoinLimits())),
        (3, Gen.Select(Gen.Int[1, 4], Gen.Int[0, 5], Gen.Int[1, 3], Gen.Int[1, 3], (pairs, cluster, choices, claims) => new JoinLimits(pairs, cluster, choices, claims))));

    private static readonly Gen<CompanySettings> Settings = Gen.Select(
        Gen.Select(Gen.OneOf(true, true, true, false), Gen.OneOf(30, 30, 1, 720)), Gen.OneOf(1, 2, 10), Gen.OneOf(1, 2, 10_000), Gen.OneOf<int?>(null, null, null, 1, 30), Gen.OneOf<int?>(null, null, null, 1, 2),
        Gen.OneOf(ClaimedJoins.All, ClaimedJoins.All, ClaimedJoins.New, ClaimedJoins.New, ClaimedJoins.None), Limits,
        (shown, emails, sessions, age, events, claimed, limits) => new CompanySettings
        {
            UserRegistered = shown.Item1,
            ServerSessionGapMinutes = shown.Item2,
            MaxEmailsPerPerson = emails,
            NewSessionsPerDay = sessions,
            MaxBrowserEventAgeDays = age,
            MaxSessionEventsPerDay = events,
            ClaimedJoins = claimed,
            JoinLimits = limits,
        });

    public static readonly Gen<TimelineFilter> Filter = Gen.Select(
        Gen.OneOf<Origin?>(null, Origin.Browser, Origin.Server),
        Gen.OneOf(null, "page_view", "payment_processed", "user_registered"),
        Gen.Frequency((1, Gen.Const(long.MinValue)), (1, Time)),
        Gen.Frequency((1, Gen.Const(long.MaxValue)), (1, Time)),
        (origin, type, from, to) => new TimelineFilter(origin, type, from, to));

    private static readonly Gen<ProfileId> Leaf = Gen.Frequency((3, Email), (2, External), (1, UserId)).Select(identifier => identifier.Id);

    private static readonly Gen<OperatorAct> Act = Gen.Frequency<OperatorAct>(
        (3, Gen.Select(Session, Leaf, (session, leaf) => (OperatorAct)new OperatorAct.RevokeClaim(0, session, leaf))),
        (3, Gen.Select(Leaf, Leaf, (one, other) => (OperatorAct)new OperatorAct.RevokePair(0, one, other))),
        (3, Gen.Select(Session, Gen.Frequency((1, Gen.Const(long.MinValue)), (2, Time)), Gen.Frequency((1, Gen.Const(long.MaxValue)), (2, Time)), (session, from, to) => (OperatorAct)new OperatorAct.Unbind(0, session, from, to))),
        (4, Gen.Select(Leaf, Leaf, (one, other) => (OperatorAct)new OperatorAct.Merge(0, one, other))),
        (3, Gen.Select(Gen.OneOf(Session.Select(session => (string?)session), Gen.Const((string?)null)), Gen.Bool, Leaf, Gen.Bool, Time, Gen.Bool, Time, (session, byLeaf, leaf, hasFrom, from, hasTo, to) =>
            (OperatorAct)new OperatorAct.UndoClaims(0, session, byLeaf ? leaf : null, hasFrom ? from : null, hasTo ? to : null))),
        (1, Leaf.Select(leaf => (OperatorAct)new OperatorAct.Isolate(0, leaf))),
        (1, Gen.Select(Leaf, Time, (leaf, at) => (OperatorAct)new OperatorAct.Freeze(at, leaf))));

    /// <summary>Acts that can be done: of two different identifiers, of a time that passes; each at a moment of its own.</summary>
    private static readonly Gen<OperatorAct[]> Acts = Act.Array[0, 6].Select(acts => acts
        .Where(act => act is not OperatorAct.Merge { } merge || merge.One != merge.Other)
        .Where(act => act is not OperatorAct.RevokePair { } pair || pair.One != pair.Other)
        .Where(act => act is not OperatorAct.Unbind { } unbind || unbind.From < unbind.To)
        .Where(act => act is not OperatorAct.UndoClaims { } undo || (undo.From ?? long.MinValue) < (undo.To ?? long.MaxValue))
        .DistinctBy(act => act switch
        {
            OperatorAct.Merge merge => ("merge", string.Join(' ', new[] { merge.One, merge.Other }.Order())),
            OperatorAct.RevokePair pair => ("pair", string.Join(' ', new[] { pair.One, pair.Other }.Order())),
            OperatorAct.Freeze freeze => ("freeze", freeze.Leaf.ToString()),
            _ => ("act", act.ToString()),
        })
        .Select((act, i) => act is OperatorAct.Freeze ? act : act with { At = Start + (10 * 86_400_000L) + i }).ToArray());

    public static Gen<History> OfSize(int most, bool withActs = true) => Gen.Select(
        Settings, Gen.Frequency((4, BrowserEvent), (3, IdentifyMessage), (4, Webhook)).Array[1, most], withActs ? Acts : Gen.Const(Array.Empty<OperatorAct>()), Gen.Int,
        (settings, messages, acts, seed) => new History(settings, messages, acts, seed));
}
