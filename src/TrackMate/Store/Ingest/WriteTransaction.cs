using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// The transactions of one connection, one after the other, and the caches that they share. Everything that must happen first or last in a transaction is in
/// <see cref="Begin"/> and <see cref="Commit"/>. After a failed transaction the caches are invalid: call <see cref="Rollback"/>, or create a new instance.
/// </summary>
internal sealed class WriteTransaction
{
    private readonly Database database;
    private readonly bool isOffline;
    private Dictionary<long, Company> companies = [];
    private long? registryVersion;

    /// <param name="isOffline">Whether this is a command beside a possible server: the caches then last for one transaction only, and the server is notified after each.</param>
    public WriteTransaction(Database database, bool isOffline = false)
    {
        this.database = database;
        this.isOffline = isOffline;
        Ids = new(database);
        Marks = new(database);
        Counters = new(database);
        Traits = new(database);
        Suppressed = new(database);
        Ingestion = new(database);
        Derived = new(new(database, Marks), new(database), new(database), new(database), new(database), new(database));
    }

    public Database Database => database;

    /// <summary>The cache of the numbers of sessions and identifiers.</summary>
    public IdCache Ids { get; }

    /// <summary>Changes of sessions, written when the transaction ends.</summary>
    public DirtySessions Marks { get; }

    /// <summary>Counts by day, written when the transaction ends.</summary>
    public DayCounters Counters { get; }

    /// <summary>Traits from identifies. The search texts that depend on them are written when the transaction ends.</summary>
    public TraitRows Traits { get; }

    /// <summary>Erased people whose later messages are dropped.</summary>
    public Suppressed Suppressed { get; }

    /// <summary>Stored rejections, warnings and repeats.</summary>
    public IngestionRows Ingestion { get; }

    /// <summary>Derived rows.</summary>
    public DerivedRows Derived { get; }

    /// <summary>
    /// Begins a transaction. It uses the stored settings of the companies, since a message may have been read under older ones. All rows that are derived from many messages
    /// (server sessions, the ledger) must be derived with the same settings.
    /// </summary>
    /// <inheritdoc cref="Database.BeginWrite"/>
    public void Begin(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0)
    {
        database.BeginWrite(holds, messages);
        // Other servers may have written since.
        if (database.IsShared) Ingestion.Forget();
        var version = CompanyRows.Version(database);
        if (version == registryVersion && !isOffline) return;

        // Another process may have erased or imported, so cached names and numbers are invalid.
        companies = CompanyRows.Read(database).ToDictionary(company => company.Number);
        Suppressed.Load();
        ClearCaches();
        registryVersion = version;
    }

    /// <summary>A company with its current settings.</summary>
    public Company Current(Company company) => companies.GetValueOrDefault(company.Number, company);

    /// <summary>Clears the cached names after an erasure has deleted some of them.</summary>
    public void InvalidateErased()
    {
        Ids.Reset();
        Suppressed.Load();
        // Other servers must clear their cached names too, and read the list of suppressed people again.
        if (database.IsShared) NotifyOthers();
    }

    /// <summary>Writes the rows that are written once per transaction, and commits.</summary>
    /// <exception cref="Exception">The engine's exception. It is then unknown whether the transaction is committed.</exception>
    public void Commit()
    {
        Finish();
        database.Commit();
    }

    /// <summary>The first step of <see cref="Commit"/>, for callers that must know which step failed.</summary>
    public void Finish()
    {
        Traits.Finish();
        Counters.Flush();
        Marks.Flush();
        if (isOffline) NotifyOthers();
    }

    /// <summary>Rolls back. The next transaction clears the caches.</summary>
    public void Rollback()
    {
        database.Rollback();
        registryVersion = null;
    }

    private void ClearCaches()
    {
        Ids.Reset();
        Traits.Clear();
        Counters.Clear();
        Marks.Clear();
        Derived.Persons.Clear();
        Ingestion.Forget();
    }

    private void NotifyOthers() => database.Execute("UPDATE registry_version SET version = version + 1");
}
