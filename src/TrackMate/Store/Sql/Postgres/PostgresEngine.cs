using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>A PostgreSQL database, with or without Citus. Any number of servers use it.</summary>
internal sealed class PostgresEngine : Engine
{
    /// <summary>How long a server's writer waits for a company's lock. The companies that share the writer wait with it.</summary>
    private const int LockSeconds = 3;

    private static readonly Schema Tables = new("postgres");

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnectionStringBuilder settings;
    private ChangeNotifier? notifier;
    private CitusWorkers? workers;
    private ServerPresence? presence;

    private PostgresEngine(NpgsqlConnectionStringBuilder settings)
    {
        this.settings = settings;
        source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    /// <param name="connection">A URL (<c>postgres://user:password@host:5432/database?sslmode=require</c>), or Npgsql's <c>Host=…;Database=…</c>.</param>
    /// <exception cref="FormatException">The text is neither.</exception>
    public static PostgresEngine Of(string connection) => new(PostgresConnection.Read(connection));

    public override string Name => $"The {Where}";

    public override string Place => $"the {Where}";

    public override string HowToFind => "set TRACKMATE_DATABASE to the database of your servers";

    public override string Cleaned => "no row holds them any more, and the tables are vacuumed. Other files of the database (WAL, replicas, backups) keep old rows as long as you configure; see docs/scaling.md.";

    public override string NotCleaned => "a machine of the database is unreachable, so its tables are not vacuumed yet";

    public override bool HasData
    {
        get
        {
            using var database = PostgresDatabase.Open(source);
            return VersionOf(database) > 0;
        }
    }

    public override Database Open() => PostgresDatabase.Open(source);

    public override Database OpenWriter() => PostgresDatabase.Open(source, patienceSeconds: LockSeconds, workers: workers);

    public override Database OpenReader()
    {
        try
        {
            return PostgresDatabase.Open(source, readOnly: true, workers: workers);
        }
        catch (Exception e) when (IsUnavailable(e))
        {
            throw new StoreUnavailableException("The store cannot be read now.", e);
        }
    }

    public override bool IsShared => true;

    public override int Writers => 8;

    public override bool IsDistributed => workers is not null;

    public override bool IsUnavailable(Exception e) => PostgresFaults.IsUnavailable(e);

    public override string RemedyOf(Exception e) => PostgresFaults.RemedyOf((e as StoreUnavailableException)?.InnerException ?? e);

    public override bool IsTransient(Exception e) => PostgresFaults.IsTransient(e);

    public override bool IsHeld(Exception e) => e is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable };

    public override bool IsLost(Exception e) => PostgresFaults.IsLost(e);

    /// <summary>After an error PostgreSQL has rolled the transaction back. Any other failure leaves it open whether it committed.</summary>
    public override bool IsUncertain(Exception e) => e is not PostgresException { InvariantSeverity: "ERROR" };

    public override void Upgrade()
    {
        using var database = PostgresDatabase.Open(source);
        Tables.Apply(
            database,
            () =>
            {
                // One server creates the tables, and others that start at the same time wait here. On a cluster this takes some thousand statements, so there is no time limit.
                database.Pipe.TakesLong = true;
                database.Execute("SELECT pg_advisory_xact_lock(hashtext(current_schema()), 1)");
                database.Execute("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)");
                return VersionOf(database);
            },
            Name,
            (sql, version) =>
            {
                database.Pipe.Script(sql);
                Distribute(database);
                database.Execute("DELETE FROM schema_version");
                database.Execute($"INSERT INTO schema_version VALUES ({version})");
            });
    }

    /// <summary>Writes a row of the installation and none of a company: if one machine of a cluster fails, the companies on the others continue.</summary>
    public override void Probe(Database writer)
    {
        writer.BeginWrite([]);
        writer.Execute("UPDATE registry_version SET version = version");
        writer.Commit();
    }

    /// <summary>Checks of the database, on each machine.</summary>
    public PostgresChecks Checks => new(settings);

    public override (long Found, int Known) SchemaOf(Database database) => (VersionOf(database), Tables.Known);

    public override void Serve(Action<IReadOnlyCollection<long>> appended)
    {
        presence = ServerPresence.Announce(source);
        Upgrade();
        using (var database = PostgresDatabase.Open(source)) workers = IsDistributedOver(database) ? new(settings) : null;
        notifier = new(source, appended);
    }

    public override void AfterCommit(Database writer, IReadOnlyCollection<long> companies) => notifier?.Notify(companies);

    /// <summary>Vacuums the tables that hold personal data, so that erased rows leave them. The database decides how long other files keep old bytes (docs/scaling.md).</summary>
    public override bool Clean(CancellationToken cancel)
    {
        using var connection = source.OpenConnection();
        var tables = new List<string>();
        using (var owned = new NpgsqlCommand("SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'", connection))
        using (var rows = owned.ExecuteReader())
        {
            while (rows.Read()) tables.Add(rows.GetString(0));
        }

        var isClean = true;
        foreach (var table in tables)
        {
            cancel.ThrowIfCancellationRequested();
            using var vacuum = new NpgsqlCommand($"VACUUM {table}", connection) { CommandTimeout = 0 };
            using var stopped = cancel.Register(vacuum.Cancel);
            try
            {
                vacuum.ExecuteNonQuery();
            }
            catch (PostgresException e) when (IsUnavailable(e) && !cancel.IsCancellationRequested && connection.State is System.Data.ConnectionState.Open)
            {
                // One machine of the cluster is unreachable. The tables on the other machines are cleaned now, and the caller tries again.
                isClean = false;
            }
        }

        return isClean;
    }

    public override void Dispose()
    {
        notifier?.Dispose();
        presence?.Dispose();
        workers?.Dispose();
        source.Dispose();
    }

    /// <summary>
    /// With Citus, distributes all tables whose key begins with the company, by company and co-located. All rows of a company then lie on one machine. Tables of the
    /// installation stay on the coordinator. Without Citus it does nothing.
    /// </summary>
    private static void Distribute(Database database)
    {
        if (!HasCitus(database)) return;
        var tables = new List<string>();
        using (var rows = database.Use("""
            SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attname = 'company' AND c.relname <> 'suppressed'
              AND NOT EXISTS (SELECT 1 FROM pg_dist_partition d WHERE d.logicalrelid = c.oid)
            ORDER BY c.relname = 'message' DESC, c.relname
            """))
        {
            while (rows.Next()) tables.Add(rows.Text(0));
        }

        // Uses one connection per machine: the sequence of a later table cannot be created while the same transaction has parallel connections.
        if (tables.Count > 0) database.Execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'");
        foreach (var table in tables)
            database.Execute($"SELECT create_distributed_table('{table}', 'company', colocate_with => '{(table == "message" ? "none" : "message")}')");
    }

    /// <summary>Each of several hosts may have its own port, so none is shown.</summary>
    private string Where => $"database {settings.Database} at {settings.Host}{(settings.Host!.Contains(':', StringComparison.Ordinal) || settings.Host.Contains(',', StringComparison.Ordinal) ? "" : $":{settings.Port}")}";

    /// <summary>Whether companies lie on workers. They do not if Citus was installed after the tables were created.</summary>
    private static bool IsDistributedOver(Database database)
    {
        if (!HasCitus(database)) return false;
        using var message = database.Use("SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass('message'))");
        message.Next();
        return message.Long(0) == 1;
    }

    private static bool HasCitus(Database database)
    {
        using var citus = database.Use("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')");
        citus.Next();
        return citus.Long(0) == 1;
    }

    private static long VersionOf(Database database)
    {
        // pg_class lists the table even if this role may not read it. The query below then reports that.
        using (var found = database.Use("SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'schema_version')"))
        {
            found.Next();
            if (found.Long(0) == 0) return 0;
        }

        using var version = database.Use("SELECT COALESCE(MAX(version), 0) FROM schema_version");
        version.Next();
        return version.Long(0);
    }
}
