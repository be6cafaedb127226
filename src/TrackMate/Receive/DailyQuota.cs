using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Write;

namespace TrackMate.Receive;

/// <summary>What a company may send in one UTC day, where it has set a limit. The count is the store's; it is read again at most once a second.</summary>
internal sealed class DailyQuota(MessageStore store)
{
    private const long FreshMilliseconds = 1000;

    private readonly ConcurrentDictionary<long, (long Day, long Events, long ReadAt)> spent = new();

    /// <exception cref="Refused">It is spent; it starts anew at midnight UTC.</exception>
    public void Check(Company company, long receivedAt)
    {
        if (company.Settings.EventsPerDay is not { } limit) return;
        var day = DayCounters.DayOf(receivedAt);
        if (!spent.TryGetValue(company.Number, out var known) || known.Day != day || receivedAt - known.ReadAt is < 0 or >= FreshMilliseconds)
            spent[company.Number] = known = (day, Read(company, day), receivedAt);
        if (known.Events < limit) return;
        var wait = (int)((DayCounters.StartOf(day + 1) - receivedAt + 999) / 1000);
        throw new Refused(Reason.QuotaSpent, $"The company's quota of {limit} events per day is used up. It resets at midnight UTC.", retryAfterSeconds: wait);
    }

    private long Read(Company company, long day)
    {
        using var snapshot = store.Read(company);
        using var usage = snapshot.Database.Use("SELECT events FROM usage_day WHERE company = ? AND day = ?");
        return usage.With(company.Number).With(day).Next() ? usage.Long(0) : 0;
    }
}
