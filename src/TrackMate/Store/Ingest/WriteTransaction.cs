using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>
/// The transactions of one connection, one after the other, and all that is remembered over them. What has to happen first or last in a transaction happens in
/// <see cref="Begin"/> and <see cref="Commit"/> and nowhere else. After one that failed nothing remembered holds: <see cref="Rollback"/>, or a new one of these.
/// </summary>
internal sealed class WriteTransaction
{
    private readonly Database database;
    private readonly bool isBeside;
    private Dictionary<long, Company> companies = [];
    private long? registryVersion;

    /// <param name="isBeside">Whether a server may write at the same time from another process: then nothing is remembered from one transaction to the next, and the server is told to read again.</param>
    public WriteTransaction(Database database, bool isBeside = false)
    {
        this.database = database;
        this.isBeside = isBeside;
        Names = new(database);
        Marks = new(database);
        Counters = new(database);
        Traits = new(database);
        Suppressed = new(database);
        Ingestion = new(database);
        Derived = new(new(database, Marks), new(database), new(database), new(database), new(database), new(database));
    }

    public Database Database => database;

    /// <summary>Numbers of sessions and identifiers.</summary>
    public Names Names { get; }

    /// <summary>What is written of sessions when it ends.</summary>
    public DirtySessions Marks { get; }

    /// <summary>Counts by day, written when it ends.</summary>
    public DayCounters Counters { get; }

    /// <summary>What identifies say of people; what they are found by is written when it ends.</summary>
    public TraitRows Traits { get; }

    /// <summary>Who was erased and stays away.</summary>
    public Suppressed Suppressed { get; }

    /// <summary>What is kept of refusals, warnings and repeats.</summary>
    public IngestionRows Ingestion { get; }

    /// <summary>What follows from messages.</summary>
    public DerivedRows Derived { get; }

    /// <summary>
    /// Begins one. What companies have chosen is taken from the store, since a message may have been read under older choices, and what is derived from all messages
    /// (server sessions, the ledger) must rest on one.
    /// </summary>
    /// <inheritdoc cref="Database.BeginWrite"/>
    public void Begin(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0)
    {
        database.BeginWrite(holds, messages);
        // Others may have written since.
        if (database.IsShared) Ingestion.Forget();
        var version = CompanyRows.Version(database);
        if (version == registryVersion && !isBeside) return;

        // Another process may have erased or imported: what is remembered of names and numbers is read again.
        companies = CompanyRows.Read(database).ToDictionary(company => company.Number);
        Suppressed.Load();
        Forget();
        registryVersion = version;
    }

    /// <summary>A company as it has chosen now.</summary>
    public Company Current(Company company) => companies.GetValueOrDefault(company.Number, company);

    /// <summary>Forgets what is remembered of names, since some have gone.</summary>
    public void ForgetErased()
    {
        Names.Reset();
        Suppressed.Load();
        // Other servers read again what they remember of names, and who is to stay away.
        if (database.IsShared) TellOthers();
    }

    /// <summary>Writes what is written once per transaction, and commits.</summary>
    /// <exception cref="Exception">As the engine has it. Whether it is committed is not known then.</exception>
    public void Commit()
    {
        Finish();
        database.Commit();
    }

    /// <summary>The same in two steps, for whoever has to know which of them failed.</summary>
    public void Finish()
    {
        Traits.Finish();
        Counters.Flush();
        Marks.Flush();
        if (isBeside) TellOthers();
    }

    /// <summary>Takes it back; the next one begins from what is stored.</summary>
    public void Rollback()
    {
        database.Rollback();
        registryVersion = null;
    }

    private void Forget()
    {
        Names.Reset();
        Traits.Clear();
        Counters.Clear();
        Marks.Clear();
        Derived.Persons.Clear();
        Ingestion.Forget();
    }

    private void TellOthers() => database.Execute("UPDATE registry_version SET version = version + 1");
}
