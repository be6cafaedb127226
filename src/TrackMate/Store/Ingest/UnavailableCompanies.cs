using System.Collections.Concurrent;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Ingest;

/// <summary>Companies whose last write failed while others succeeded, and why: another transaction holds their lock for long, or their machine is unreachable. Shared by all writers of a store.</summary>
internal sealed partial class UnavailableCompanies(Engine engine, ILogger log)
{
    private readonly ConcurrentDictionary<long, Exception> reasons = new();

    public bool Contains(Company company) => reasons.ContainsKey(company.Number);

    /// <returns>Why the company is unavailable; null if it is available.</returns>
    public Exception? ReasonOf(Company company) => reasons.GetValueOrDefault(company.Number);

    public void Add(Company company, Exception reason)
    {
        if (!reasons.ContainsKey(company.Number)) LogAway(log, company.CompanyId, engine.Place, WithRemedy(reason));
        reasons[company.Number] = reason;
    }

    /// <summary>Marks companies as available after a successful write.</summary>
    public void Remove(IEnumerable<Company> companies)
    {
        if (reasons.IsEmpty) return;
        foreach (var company in companies)
        {
            if (reasons.TryRemove(company.Number, out _)) LogBack(log, company.CompanyId, engine.Place);
        }
    }

    private string WithRemedy(Exception reason) => $"{StoreUnavailableException.CauseOf(reason)}. {engine.RemedyOf(reason)}".TrimEnd();

    [LoggerMessage(EventId = 8, Level = LogLevel.Error, Message = "Company {Company} in {Store} cannot be written: {Reason} Its senders get 503 and may send again; nothing acknowledged is lost, and the others go on. It is tried again with each message.")]
    private static partial void LogAway(ILogger logger, string company, string store, string reason);

    [LoggerMessage(EventId = 9, Level = LogLevel.Information, Message = "Company {Company} in {Store} is written again.")]
    private static partial void LogBack(ILogger logger, string company, string store);
}
