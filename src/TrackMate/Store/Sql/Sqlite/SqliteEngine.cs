namespace TrackMate.Store.Sql.Sqlite;

/// <summary>The embedded store: one SQLite file in one folder, used by one server.</summary>
internal sealed class SqliteEngine(string dataFolder, LogLimits? limits = null) : Engine
{
    /// <summary>The pages that are written often fit into 8 MiB. A larger cache makes many commits slower, since SQLite walks it.</summary>
    private const int WriterCacheKibibytes = 8 * 1024;

    /// <summary>More than any request contains, since a small row may still fit on a full disk.</summary>
    private const int ProbeBytes = 1 << 20;

    /// <summary>How long to wait for readers that keep the log from being truncated.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly Schema Tables = new("sqlite");

    private readonly Lock identifying = new();
    private FolderLock? folder;

    /// <summary>Open as long as the server runs, to know which file it was. Guarded by <see cref="identifying"/>.</summary>
    private SqliteDatabase? opened;
    private Checkpointer? checkpointer;
    private LogFile? log;

    /// <summary>The path of the database file.</summary>
    public string Path { get; } = PathIn(dataFolder);

    public static string PathIn(string dataFolder) => System.IO.Path.Combine(dataFolder, "trackmate.db");

    public override string Name => $"The data folder {dataFolder}";

    public override string Place => dataFolder;

    public override string HowToFind => "set TRACKMATE_DATA to the folder of your server";

    public override string Cleaned => "no row and no byte of the store's files contains them any more. Backups still do; see docs/erasure.md.";

    public override string NotCleaned => "a program that is reading the store keeps its log from being cut, so bytes may be left in its files";

    public override string RemedyOf(Exception e) => "Restore a backup if this persists.";

    public override bool HasData => File.Exists(Path);

    public override bool IsInPlace
    {
        get
        {
            lock (identifying) return opened is null || (!opened.HasMoved && File.Exists(Path + "-wal"));
        }
    }

    public override Database Open()
    {
        RequireInPlace();
        FolderLock.Make(dataFolder);
        return SqliteDatabase.Open(Path, cacheKibibytes: 1024);
    }

    public override Database OpenWriter()
    {
        RequireInPlace();
        return SqliteDatabase.Open(Path, cacheKibibytes: WriterCacheKibibytes, checkpoints: false, syncs: log is null);
    }

    public override Database OpenReader()
    {
        RequireInPlace();
        return SqliteDatabase.Open(Path, readOnly: true, cacheKibibytes: 4096);
    }

    public override bool IsUnavailable(Exception e) => e is StoreMovedException || SqliteDatabase.IsUnavailable(e);

    /// <summary>A different file at the path is a different store. Nothing of this server may be written into it.</summary>
    private void RequireInPlace()
    {
        if (!IsInPlace) throw new StoreMovedException(Name);
    }

    public override void Upgrade()
    {
        using var database = Open();
        Tables.Apply(database, () => VersionOf(database), Name, (sql, version) => database.Execute($"{sql}; PRAGMA user_version = {version}"));
    }

    public override void Probe(Database writer)
    {
        writer.BeginWrite([]);
        writer.Use("INSERT INTO rejected (company, origin, call, received_ms, status, detail, size, kept, body) VALUES (0, 0, 0, 0, 0, '', 0, 0, ?)").WithBlob(new byte[ProbeBytes]).Run();
        writer.Commit();
        writer.Execute("DELETE FROM rejected WHERE company = 0");
    }

    public override (long Found, int Known) SchemaOf(Database database) => (VersionOf(database), Tables.Known);

    private static long VersionOf(Database database)
    {
        using var version = database.Use("PRAGMA user_version");
        version.Next();
        return version.Long(0);
    }

    public override void Serve(Action<IReadOnlyCollection<long>> appended)
    {
        folder = FolderLock.Take(dataFolder);
        Upgrade();
        opened = SqliteDatabase.Open(Path, cacheKibibytes: 64);
        // Reading creates the write-ahead log, which exists as long as this connection is open.
        VersionOf(opened);
        log = new(Path);
        checkpointer = new(Path, limits ?? LogLimits.Default);
        checkpointer.Start();
    }

    public override bool SyncsApart => true;

    public override void Sync() => log?.Sync();

    public override void AfterCommit(Database writer, IReadOnlyCollection<long> companies) => checkpointer?.AfterCommit((SqliteDatabase)writer);

    public override bool IsUncertain(Exception e) => e is StoreMovedException;

    public override bool Clean(CancellationToken cancel) => new FileCleaner(Path).Clean(Patience, cancel);

    public override void Dispose()
    {
        checkpointer?.Dispose();
        log?.Dispose();
        lock (identifying)
        {
            opened?.Dispose();
            opened = null;
        }

        folder?.Dispose();
    }
}
