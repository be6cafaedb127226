using System.Runtime.InteropServices;
using System.Text;
using TrackMate.Bind;
using TrackMate.Store.Acts;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Bench;

/// <summary>
/// What single messages cost the writer's thread, in milliseconds of its processor time, in the shapes that are meant to be expensive. Each is a transaction of its own,
/// without its fsync; no other process has a say, only how fast the processor is.
/// </summary>
internal sealed class WriterTime : IDisposable
{
    private const long Start = 1_760_781_600_000;

    private readonly SqliteEngine engine;
    private readonly Database database;
    private readonly MessageWriter writer;
    private long companies, events;
    private Company company;

    private WriterTime(string folder)
    {
        engine = new(folder);
        engine.Upgrade();
        database = engine.OpenWriter();
        database.Execute("PRAGMA synchronous = OFF");
        writer = new(new(database));
        company = Next();
    }

    public static int Run(string folder)
    {
        Directory.CreateDirectory(folder);
        using var time = new WriterTime(folder);
        // The first of each kind is compiled.
        for (var warm = 0; warm < 2; warm++) time.Shapes(warm == 0 ? 10 : 1);
        return 0;
    }

    public void Dispose()
    {
        database.Dispose();
        engine.Dispose();
    }

    /// <param name="part">All is so many times smaller, and nothing printed, but for 1.</param>
    private void Shapes(int part)
    {
        company = Next();
        Time(part, "plain identifies", 2000 / part, i => Identify($"s{i}", $"plain{i}@example.com", Start + i));

        company = Next();
        Fill(20_000 / part, i => Webhook("noreply@example.com", $"order-{i}", Start + i));
        Time(part, "noreply@ beside everybody, 20,000 said", 2000 / part, i => Webhook("noreply@example.com", $"next-{i}", Start + 100_000 + i));
        Time(part, "the same, each earlier than all before", 2000 / part, i => Webhook("noreply@example.com", $"early-{i}", Start - i - 1));

        company = Next();
        Time(part, "12 agents and 400 customers at random", 3000 / part, i => Webhook($"customer{i * 7919 % 400}@example.com", $"agent-{i * 31 % 12}", Start + (i * 104_729 % 100_000)));

        company = Next();
        Fill(40_000 / part, i => Chain(i / 99, i % 99, Start + 1_000_000 - i));
        Time(part, "a pair that joins two clusters of 99 pairs, 400 clusters", 200 / part, i => Webhook($"c{2 * i}-49@example.com", $"c{(2 * i) + 1}-0", Start + i));

        company = Next();
        Fill(40_000 / part, i => Payment(i % 2 == 0 ? "\"orderId\":\"order-a\"" : "\"orderId\":\"order-b\"", i));
        Time(part, "a payment that names the orders of two groups of 20,000", 500 / part, i => Payment("\"orderId\":\"order-a\",\"charge\":\"order-b\"", 40_000 + i));

        company = Next();
        Fill(100_000 / part, i => Browser("long", Start + i));
        Time(part, "late claims on a session of 100,000 events", 500 / part, i => Identify("long", $"late{i % 2}@example.com", Start + (i * 7919 % 100_000)));

        foreach (var claims in new[] { 5000, 50_000 }) LateClaims(part, claims / part, $"{claims:N0}");
        company = Next();
        Fill(1000 / part, i => Identify($"s{i}", "many@example.com", Start + i));
        Fill(1000 / part, i => Bound($"s{i}", Start + (i * 10_000_000L)));
        Time(part, "a server's event of somebody 1,000 of whose sessions have one", 100 / part, i => Webhook("many@example.com", "many", Start + (i * 5_000_000L)));
        foreach (var said in new[] { 5000, 50_000 }) Others(part, said / part, $"{said:N0}");

        company = Next();
        Fill(5000 / part, i => Identify($"s{i}", "everybody@example.com", Start + i));
        var revoked = events - (5000 / part);
        TimeActs(part, "revocations of claims on an e-mail that 5,000 sessions claim", 100 / part, i => new ActWriter(writer.Transaction.Database, writer.Transaction.Marks).RevokeClaim(company, Origin.Browser, $"e{revoked + 1 + i}", lift: false, new("bench", Start, DryRun: false)));
    }

    /// <summary>Claims on a session that has many, said by two in turn.</summary>
    private void LateClaims(int part, int claims, string number)
    {
        void Begun()
        {
            company = Next();
            Fill(claims, i => Identify("claimed", $"claimed{i % 2}@example.com", Start + (2 * i)));
        }

        Begun();
        Time(part, $"late claims on a session of {number} claims", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start + (i * 97 % claims) + 1));
        Time(part, "  each earlier than all before", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start - i - 1));
        Time(part, "  by webhooks that name an e-mail, an externalId and the session", 100 / part, i => Webhook($"claimed{i % 2}@example.com", $"n{i}", Start + (i * 97 % claims) + 1) with { SessionId = "claimed" });
        Time(part, "  by webhooks that were the first to name somebody, until now", 100 / part, i =>
            i % 2 == 0 ? Webhook($"late{i}@example.com", $"late{i}", Start + (i * 97 % claims)) with { SessionId = "claimed" } : Identify("claimed", $"late{i - 1}@example.com", Start - 1000 - i));
        Time(part, "  events that are bound by the session, an hour apart", 100 / part, i => Bound("claimed", Start + (i * 3_600_000L)));

        Begun();
        TimeActs(part: 0, "", 1, _ => new ActWriter(writer.Transaction.Database, writer.Transaction.Marks).Unbind(company, "claimed", Start + 10, Start + 20, new("bench", Start, DryRun: false)));
        Time(part, $"late claims on a session of {number} claims, of which a part is un-bound", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start + (i * 97 % claims) + 1));

        Begun();
        Fill(claims, i => External("claimed", $"x{i % 10}", Start + (2 * i) + 1));
        Time(part, $"late claims on a session of {number} claims and as many webhooks by externalId", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start + (i * 97 % claims) + 1));
        Time(part, "  each earlier than all before", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start - i - 1));

        company = Next();
        Fill(claims, i => Identify("claimed", $"claimed{i % 2}@example.com", Start));
        Time(part, $"claims at the millisecond of {number} others", 100 / part, i => Identify("claimed", $"claimed{i % 2}@example.com", Start));
    }

    /// <summary>What is bounded by what was said before, and not by a number.</summary>
    private void Others(int part, int said, string number)
    {
        company = Next() with { Settings = new() { NewSessionsPerDay = 1 } };
        Fill(said, i => Identify("first", "full@example.com", Start + 1000 + i));
        Time(part, $"claims that take a day's last place from {number} others, or give it back to them", 100 / part, i => Identify(i % 2 == 0 ? $"s{i}" : "first", "full@example.com", Start + 999 - i));

        company = Next();
        Fill(said * 3, i => i % 3 == 2 ? External("turns", "x", Start + (20 * i)) : Identify("turns", i % 3 == 0 ? "ann@example.com" : "bob@example.com", Start + (20 * i)));
        Time(part, $"claims that take the only webhook of {number} from an e-mail, or give it back", 20 / Math.Min(part, 10), i => Identify("turns", i % 2 == 0 ? "ann@example.com" : "bob@example.com", Start + 21 + i));
    }

    private TrackedEvent Bound(string session, long at) => Webhook("", "", at) with { Named = [], SessionId = session };

    private TrackedEvent External(string session, string externalId, long at) => Webhook("", "", at) with { Named = [Identifier.External(company, externalId)], SessionId = session };

    private Company Next() => new(++companies, $"TM-{companies}", "Bench", [.. Enumerable.Repeat((byte)7, 32)], new());

    private void Fill(int messages, Func<int, Message> message)
    {
        for (var i = 0; i < messages;)
        {
            Begin();
            writer.Append([.. Enumerable.Range(i, Math.Min(500, messages - i)).Select(message)]);
            i += 500;
            End();
        }
    }

    private void Time(int part, string what, int messages, Func<int, Message> message) => TimeActs(part, what, messages, i => writer.Append([message(i)]));

    private void TimeActs(int part, string what, int acts, Action<int> act)
    {
        var times = new List<double>();
        for (var i = 0; i < acts; i++)
        {
            var before = Processor();
            Begin();
            act(i);
            End();
            times.Add(Processor() - before);
        }

        times.Sort();
        if (part == 1) Console.WriteLine($"{what}: median {times[times.Count / 2]:0.00} ms, worst {times[^1]:0.00} ms, second {times[^2]:0.00} ms, of {times.Count}");
    }

    private void Begin()
    {
        writer.Transaction.Begin([]);
    }

    private void End()
    {
        writer.Transaction.Commit();
    }

    private TrackedEvent Browser(string session, long at) => new()
    {
        Company = company,
        EventId = $"e{++events}",
        Order = EventOrder.Of(at, Origin.Browser),
        ReceivedAt = at,
        SessionId = session,
        Type = "page_view",
        Data = "{}"u8.ToArray(),
    };

    private Identify Identify(string session, string email, long at) => new()
    {
        Company = company,
        EventId = $"e{++events}",
        Order = EventOrder.Of(at, Origin.Browser),
        ReceivedAt = at,
        SessionId = session,
        Named = [Identifier.Email(company, email)],
        Trust = Trust.Claimed,
        Traits = [],
    };

    private TrackedEvent Webhook(string email, string externalId, long at) => Payment("", at - Start) with
    {
        Type = "order_shipped",
        Named = [Identifier.Email(company, email), Identifier.External(company, externalId)],
    };

    /// <summary>Links of clusters that are chains, the latest first.</summary>
    private TrackedEvent Chain(int cluster, int link, long at) => Webhook($"c{cluster}-{link / 2}@example.com", $"c{cluster}-{(link + 1) / 2}", at);

    private TrackedEvent Payment(string keys, long at) => new()
    {
        Company = company,
        EventId = $"e{++events}",
        Order = EventOrder.Of(Start + at, Origin.Server),
        ReceivedAt = Start,
        Named = [Identifier.Email(company, $"payer{at % 1000}@example.com")],
        Type = "payment_processed",
        Data = Encoding.UTF8.GetBytes($$"""{"amount":5,"currency":"EUR"{{(keys.Length > 0 ? "," : "")}}{{keys}}}"""),
    };

    private static double Processor()
    {
        const int ThreadProcessorTime = 3;
        var answer = default(TimeSpec);
        _ = clock_gettime(ThreadProcessorTime, ref answer);
        return (answer.Seconds * 1000.0) + (answer.Nanoseconds / 1e6);
    }

    private struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }

#pragma warning disable SYSLIB1054 // A generated import would need unsafe code.
    [DllImport("libc")]
    private static extern int clock_gettime(int clock, ref TimeSpec time);
#pragma warning restore SYSLIB1054
}
