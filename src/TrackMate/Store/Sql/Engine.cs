namespace TrackMate.Store.Sql;

/// <summary>Where the data of an installation lies and how it is opened: a folder with a SQLite file, or a PostgreSQL database.</summary>
internal abstract class Engine : IDisposable
{
    /// <summary>What is held of no company is held of the installation: companies are numbered from 1.</summary>
    public const long NoCompany = 0;

    /// <summary>What people know it by, to begin a sentence with; it holds no password.</summary>
    public abstract string Name { get; }

    /// <summary>The same within a sentence.</summary>
    public abstract string Place { get; }

    /// <summary>What to set so that it is found where it really is.</summary>
    public abstract string HowToFind { get; }

    /// <summary>What is true once <see cref="Clean"/> has done its work.</summary>
    public abstract string Cleaned { get; }

    /// <summary>What is true while <see cref="Clean"/> has found something in its way: the middle of a sentence.</summary>
    public abstract string NotCleaned { get; }

    /// <summary>Whether any program has made its tables yet; looking makes nothing.</summary>
    public abstract bool HasData { get; }

    /// <summary>A connection for what is small and rare: companies, keys, verbs of the command line.</summary>
    public abstract Database Open();

    /// <summary>A connection for one of a server's writers.</summary>
    public abstract Database OpenWriter();

    /// <summary>Whether companies lie on machines of their own, so that a transaction of several stands or falls with all of those.</summary>
    public virtual bool IsDistributed => false;

    /// <summary>Whether several servers work on it, from machines of their own.</summary>
    public virtual bool IsShared => false;

    /// <summary>How many writers a server has.</summary>
    public virtual int Writers => 1;

    /// <summary>Writes something and takes it away again, to see whether that can be done.</summary>
    public abstract void Probe(Database writer);

    /// <summary>A connection that only reads.</summary>
    public abstract Database OpenReader();

    /// <summary>
    /// Whether the files that a server opened are still those at their place. Deleted or replaced ones go on taking writes, which are gone when the server stops.
    /// </summary>
    public virtual bool IsInPlace => true;

    /// <summary>Whether it, not what was to be read or written, is at fault: full, gone, damaged, locked.</summary>
    public abstract bool IsUnavailable(Exception e);

    /// <summary>Whether a transaction that failed so may just be tried again.</summary>
    public virtual bool IsTransient(Exception e) => false;

    /// <summary>Whether a transaction waited in vain for a company that somebody else holds, as one who derives it anew.</summary>
    public virtual bool IsHeld(Exception e) => false;

    /// <summary>Whether a connection went, and with it what it had not committed: another one may do.</summary>
    public virtual bool IsLost(Exception e) => false;

    /// <summary>Whether what failed as it was committed may be committed all the same.</summary>
    public virtual bool IsUncertain(Exception e) => false;

    /// <summary>Says that it cannot be used, why, and what to do about it.</summary>
    public string CannotBeUsed(Exception e) => $"{Name} cannot be used: {StoreUnavailableException.CauseOf(e)}. {RemedyOf(e)}".TrimEnd();

    /// <summary>What to do where it cannot be used for such a reason, as a sentence; empty where the reason says so itself.</summary>
    public abstract string RemedyOf(Exception e);

    /// <summary>Makes the tables, or brings those of an older version up to date; being killed in the middle leaves the version before.</summary>
    /// <exception cref="NotSupportedException">They were made by a newer program.</exception>
    public abstract void Upgrade();

    /// <summary>The version of the tables as they are, and the one that this program knows.</summary>
    public abstract (long Found, int Known) SchemaOf(Database database);

    /// <summary>Why its tables are none that this program works on; null where they are.</summary>
    public string? MisfitOf(Database database)
    {
        var (found, known) = SchemaOf(database);
        if (found < known) return $"{Name} is of an older TrackMate (schema {found}; this program is of {known}); start this version's server once, which upgrades it.";
        return found > known ? $"{Name} was written by a newer TrackMate (schema {found}; this program knows {known}); use that version's program." : null;
    }

    /// <summary>Takes what only a server holds, and begins the work beside the writer.</summary>
    /// <param name="appended">Called with companies that have received or refused something through another server.</param>
    /// <exception cref="IOException">Another server holds it, or it cannot be written.</exception>
    public abstract void Serve(Action<IReadOnlyCollection<long>> appended);

    /// <summary>Whether a commit of a server's writer is on the disk only after <see cref="Sync"/>, which another thread does while the writer goes on.</summary>
    public virtual bool SyncsApart => false;

    /// <summary>Returns when all that is committed by now is on the disk.</summary>
    /// <exception cref="IOException">It may not be there.</exception>
    public virtual void Sync()
    {
    }

    /// <summary>Called by the writer after each commit.</summary>
    /// <param name="companies">Those that have received or refused something by it.</param>
    public virtual void AfterCommit(Database writer, IReadOnlyCollection<long> companies)
    {
    }

    /// <summary>Takes the bytes of erased rows out of the files as far as that is the program's to do.</summary>
    /// <returns>False where something held them back.</returns>
    /// <exception cref="OperationCanceledException">It was to stop.</exception>
    public abstract bool Clean(CancellationToken cancel);

    public abstract void Dispose();
}
