using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store;

namespace TrackMate.Receive;

/// <summary>
/// What a company's browsers, and its API keys, may send in one UTC day, where it has set a limit. Anybody can be a browser, so neither uses up the other's. The counts
/// are the store's; they are read again at most once a second.
/// </summary>
internal sealed class DailyQuota(MessageStore store)
{
    private const long FreshMilliseconds = 1000;

    private readonly ConcurrentDictionary<(long Company, Origin Side), (long Day, long Events, long ReadAt)> spent = new();

    /// <exception cref="RejectionException">It is spent; it starts anew at midnight UTC.</exception>
    public void Check(Company company, Origin side, long receivedAt)
    {
        if ((side is Origin.Browser ? company.Settings.BrowserEventsPerDay : company.Settings.KeyEventsPerDay) is not { } limit) return;
        var day = UtcDay.Of(receivedAt);
        if (!spent.TryGetValue((company.Number, side), out var known) || known.Day != day || receivedAt - known.ReadAt is < 0 or >= FreshMilliseconds)
            spent[(company.Number, side)] = known = (day, Read(company, side, day), receivedAt);
        if (known.Events < limit) return;
        var wait = (int)((UtcDay.Start(day + 1) - receivedAt + 999) / 1000);
        throw new RejectionException(Reason.QuotaSpent, $"The company's quota of {limit} events per day from {(side is Origin.Browser ? "browsers" : "API keys")} is used up. It resets at midnight UTC.", retryAfterSeconds: wait);
    }

    private long Read(Company company, Origin side, long day)
    {
        using var snapshot = store.Read(company);
        using var usage = snapshot.Database.Use("SELECT events FROM usage_day WHERE company = ? AND day = ? AND origin = ?");
        return usage.With(company.Number).With(day).With((long)side).Next() ? usage.Long(0) : 0;
    }
}
