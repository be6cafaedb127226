using System.Runtime.InteropServices;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>Counts kept per day, added up in memory over a transaction and written once at its end.</summary>
internal sealed class DayCounters(Database database)
{
    private readonly Dictionary<(long Company, long Session, long Day), Counts> sessionDays = [];
    private readonly Dictionary<(long Company, long Day, Origin Origin), long> usage = [];
    private readonly Dictionary<(long Company, long Day, TokenFault Fault), long> withoutToken = [];

    private record struct Counts(long Events, long Bots, long FirstAt, long LastAt);

    public void CountMessage(Message message) => CollectionsMarshal.GetValueRefOrAddDefault(usage, (message.Company.Number, UtcDay.Of(message.ReceivedAt), message.Order.Origin), out _)++;

    /// <summary>Counts an identify that no valid token stands behind, where its company observes that.</summary>
    public void CountWithoutToken(Company company, long receivedAt, TokenFault fault) => CollectionsMarshal.GetValueRefOrAddDefault(withoutToken, (company.Number, UtcDay.Of(receivedAt), fault), out _)++;

    /// <summary>Counts a browser's event of a session on the day it happened.</summary>
    public void CountEvent(Company company, long session, EventOrder order, bool bot)
    {
        ref var counts = ref CollectionsMarshal.GetValueRefOrAddDefault(sessionDays, (company.Number, session, UtcDay.Of(order.UnixMilliseconds)), out var exists);
        counts = exists
            ? new(counts.Events + 1, counts.Bots + (bot ? 1 : 0), Math.Min(counts.FirstAt, order.Value), Math.Max(counts.LastAt, order.Value))
            : new(1, bot ? 1 : 0, order.Value, order.Value);
    }

    /// <summary>Writes them, each in one order, so that writers who meet wait for each other and never in a circle.</summary>
    public void Flush()
    {
        foreach (var ((company, session, day), counts) in sessionDays.OrderBy(day => day.Key))
        {
            database.Use("""
                INSERT INTO session_day (company, session, day, events, bots, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (company, session, day) DO UPDATE SET events = session_day.events + excluded.events, bots = session_day.bots + excluded.bots,
                  first_at = CASE WHEN excluded.first_at < session_day.first_at THEN excluded.first_at ELSE session_day.first_at END,
                  last_at = CASE WHEN excluded.last_at > session_day.last_at THEN excluded.last_at ELSE session_day.last_at END
                """)
                .With(company).With(session).With(day).With(counts.Events).With(counts.Bots).With(counts.FirstAt).With(counts.LastAt).Run();
        }

        foreach (var ((company, day, origin), events) in usage.OrderBy(day => day.Key))
        {
            database.Use("INSERT INTO usage_day (company, day, origin, events) VALUES (?, ?, ?, ?) ON CONFLICT (company, day, origin) DO UPDATE SET events = usage_day.events + excluded.events")
                .With(company).With(day).With((long)origin).With(events).Run();
        }

        foreach (var ((company, day, fault), identifies) in withoutToken.OrderBy(day => day.Key))
        {
            database.Use("INSERT INTO identify_without_token (company, day, fault, identifies) VALUES (?, ?, ?, ?) ON CONFLICT (company, day, fault) DO UPDATE SET identifies = identify_without_token.identifies + excluded.identifies")
                .With(company).With(day).With(fault.ToString()).With(identifies).Run();
        }

        Clear();
    }

    public void Clear()
    {
        sessionDays.Clear();
        usage.Clear();
        withoutToken.Clear();
    }
}
