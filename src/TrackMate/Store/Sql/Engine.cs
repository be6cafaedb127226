namespace TrackMate.Store.Sql;

/// <summary>Where the data of an installation lies and how it is opened: a folder with a SQLite file, or a PostgreSQL database.</summary>
internal abstract class Engine : IDisposable
{
    /// <summary>The company number of rows that belong to the installation as a whole. Companies are numbered from 1.</summary>
    public const long NoCompany = 0;

    /// <summary>The name of the store, to begin a sentence with. It contains no password.</summary>
    public abstract string Name { get; }

    /// <summary>The name of the store within a sentence.</summary>
    public abstract string Place { get; }

    /// <summary>Which environment variable to set so that a command finds the right store.</summary>
    public abstract string HowToFind { get; }

    /// <summary>The sentence that is true after <see cref="Clean"/> has succeeded.</summary>
    public abstract string Cleaned { get; }

    /// <summary>The clause that says why <see cref="Clean"/> could not finish, for the middle of a sentence.</summary>
    public abstract string NotCleaned { get; }

    /// <summary>Whether a program has ever created the tables. The check itself creates nothing.</summary>
    public abstract bool HasData { get; }

    /// <summary>A connection for small and rare work: companies, keys, commands.</summary>
    public abstract Database Open();

    /// <summary>A connection for one of a server's writers.</summary>
    public abstract Database OpenWriter();

    /// <summary>Whether companies lie on different machines, so that a transaction of several companies fails if one of these machines fails.</summary>
    public virtual bool IsDistributed => false;

    /// <summary>Whether several servers use it, from different machines.</summary>
    public virtual bool IsShared => false;

    /// <summary>The number of writers of a server.</summary>
    public virtual int Writers => 1;

    /// <summary>Writes a row and deletes it, to test whether the store can be written.</summary>
    public abstract void Probe(Database writer);

    /// <summary>A connection that only reads.</summary>
    public abstract Database OpenReader();

    /// <summary>
    /// Whether the files that the server opened are still at their path. Files that were deleted or replaced still accept writes, which are lost when the server stops.
    /// </summary>
    public virtual bool IsInPlace => true;

    /// <summary>Whether the store caused the failure, and not the statement: it is full, gone, damaged or locked.</summary>
    public abstract bool IsUnavailable(Exception e);

    /// <summary>Whether the failed transaction can simply be retried.</summary>
    public virtual bool IsTransient(Exception e) => false;

    /// <summary>Whether the transaction gave up waiting for a company's lock, which for example a rebuild holds.</summary>
    public virtual bool IsHeld(Exception e) => false;

    /// <summary>Whether the connection was lost, and with it all that it had not committed. Another connection may work.</summary>
    public virtual bool IsLost(Exception e) => false;

    /// <summary>Whether a failed commit may have been committed all the same.</summary>
    public virtual bool IsUncertain(Exception e) => false;

    /// <summary>A sentence that says that the store cannot be used, why, and what to do.</summary>
    public string CannotBeUsed(Exception e) => $"{Name} cannot be used: {StoreUnavailableException.CauseOf(e)}. {RemedyOf(e)}".TrimEnd();

    /// <summary>A sentence that says what to do after a failure. Empty if the failure's own text says it.</summary>
    public abstract string RemedyOf(Exception e);

    /// <summary>Creates the tables, or upgrades those of an older version. If the process is killed meanwhile, the older version remains.</summary>
    /// <exception cref="NotSupportedException">A newer program created them.</exception>
    public abstract void Upgrade();

    /// <summary>The version of the existing tables, and the version that this program knows.</summary>
    public abstract (long Found, int Known) SchemaOf(Database database);

    /// <summary>Why this program cannot work on these tables; null if it can.</summary>
    public string? SchemaProblemOf(Database database)
    {
        var (found, known) = SchemaOf(database);
        if (found < known) return $"{Name} has the schema of an older TrackMate ({found}; this program needs {known}). Start this version's server once to upgrade it.";
        return found > known ? $"{Name} was written by a newer TrackMate (schema {found}; this program knows {known}); use that version's program." : null;
    }

    /// <summary>Takes the lock that only a server holds, and starts the background work.</summary>
    /// <param name="appended">Called with the companies for which another server has stored or rejected messages.</param>
    /// <exception cref="IOException">Another server holds the store, or it cannot be written.</exception>
    public abstract void Serve(Action<IReadOnlyCollection<long>> appended);

    /// <summary>Whether a commit of a server's writer is durable only after <see cref="Sync"/>, which another thread calls while the writer continues.</summary>
    public virtual bool SyncsApart => false;

    /// <summary>Returns when everything committed so far is on the disk.</summary>
    /// <exception cref="IOException">It may not be on the disk.</exception>
    public virtual void Sync()
    {
    }

    /// <summary>Called by the writer after each commit.</summary>
    /// <param name="companies">The companies for which the transaction has stored or rejected messages.</param>
    public virtual void AfterCommit(Database writer, IReadOnlyCollection<long> companies)
    {
    }

    /// <summary>Removes the bytes of erased rows from the files, as far as the program can.</summary>
    /// <returns>False if something prevented it.</returns>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public abstract bool Clean(CancellationToken cancel);

    public abstract void Dispose();
}
