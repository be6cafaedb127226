using System.Globalization;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>How transactions begin: on which machine, and with which locks.</summary>
internal sealed partial class PostgresDatabase
{
    private const string ReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /// <summary>Keeps Citus from moving or splitting the company's shards until the transaction ends: a share lock, which conflicts with the exclusive lock of a move. It returns no row if the shards have moved away.</summary>
    private const string LockShards = "SELECT lock_shard_metadata(5, ARRAY[shardid]) FROM pg_dist_placement WHERE shardid = $1 AND groupid = $2";

    private const string FindShards = "SELECT 1 FROM pg_dist_placement WHERE shardid = $1 AND groupid = $2";

    /// <summary>Companies whose greatest message id has been compared with the sequence since we connected to the coordinator.</summary>
    private readonly HashSet<long> inOrder = [];

    /// <summary>
    /// Each company has two locks. Every writer takes the first one: shared, or exclusively if it rewrites the company. A writer that binds also takes the second one,
    /// exclusively. So any number of transactions append while one binds, and none writes while one rewrites. Locks are taken in the order of the company numbers, so two
    /// servers cannot deadlock.
    /// </summary>
    public override void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0)
    {
        // Rows of a later transaction need greater ids than all present rows, so ids left over from the previous transaction are dropped.
        foreach (var table in InOrder) numbers.Remove(table);
        var companies = holds.GroupBy(hold => hold.Company, hold => hold.Mode).OrderBy(company => company.Key).Select(company => (Number: company.Key, Mode: company.Max())).ToList();
        if (companies is [{ Number: > Engine.NoCompany, Mode: not LockMode.Rewrite } only] && TryBeginOnWorker(only.Number, only.Mode, messages)) return;

        pipe.Add("BEGIN", []);
        (inTransaction, hasBegun) = (true, false);
        // A rebuild may read all rows of a company.
        pipe.TakesLong |= companies.Exists(company => company.Mode is LockMode.Rewrite);
        if (isDistributed)
        {
            pipe.Flush();
            hasBegun = true;
            pipe.Add("SET LOCAL citus.propagate_set_commands TO 'local'", []);
        }

        SetPatience(companies.Count > 0);
        foreach (var (company, hold) in companies) Lock(company, hold);
        EndPatience(companies.Count > 0);
        if (messages > 0) AskNumbers("message", messages);
        else pipe.Flush();
    }

    public override void BeginRead(long? company = null)
    {
        for (var attempt = 1; company is { } number && attempt <= 2 && workerConnections?.To(number) is { } connection; attempt++)
        {
            (pipe, place, inTransaction) = (connection.Pipe, connection.Shards, true);
            pipe.Add(ReadOnly, []);
            if (IsHere()) return;
            Execute("ROLLBACK");
            workerConnections.Invalidate(number);
        }

        Execute(ReadOnly);
    }

    /// <summary>
    /// Begins on the worker that holds the company, if it can be reached. The company's locks are taken on that worker. A transaction through the coordinator takes them
    /// there too, so the two kinds of transactions exclude each other.
    /// </summary>
    private bool TryBeginOnWorker(long company, LockMode hold, int messages)
    {
        for (var attempt = 1; attempt <= 2 && workerConnections?.To(company) is { } connection; attempt++)
        {
            (pipe, place, inTransaction, hasBegun, begunFor) = (connection.Pipe, connection.Shards, true, true, company);
            try
            {
                pipe.Add("BEGIN", []);
                SetPatience(true);
                pipe.Add(LockShards, [Parameter(place.Shard), Parameter(place.Group)]);
                Lock(company, hold);
                EndPatience(true);
                long? last = null;
                if (messages > 0 && !inOrder.Contains(company)) pipe.Add(Placed(LastOfCompany), [Parameter(company)], rows => last = rows.Count == 0 ? 0 : (long)rows[0][0]!);
                if (IsHere())
                {
                    if (messages > 0) AskNumbersInOrder(company, messages, last);
                    return true;
                }
            }
            catch (Npgsql.PostgresException)
            {
                // The shards may have moved while we waited for the locks.
                workerConnections.Invalidate(company);
                throw;
            }

            Execute("ROLLBACK");
            workerConnections.Invalidate(company);
        }

        return false;
    }

    /// <summary>Whether the company's shards are still on this machine. The query also sends the waiting statements.</summary>
    private bool IsHere() => pipe.Query(FindShards, [Parameter(place!.Shard), Parameter(place.Group)]).Count > 0;

    /// <summary>
    /// Asks for message ids; the query is sent with the next one to the coordinator. It does not wait until the sequence is on the coordinator's disk. If the coordinator
    /// loses the last ids, as in a power cut, we lose our connection too. After that the ids of each company are compared with its existing rows.
    /// </summary>
    /// <param name="last">The greatest existing id, if it must be compared.</param>
    private void AskNumbersInOrder(long company, int messages, long? last)
    {
        if (last is { } greatest)
        {
            main.Query("SELECT setval('message_number', $1) FROM (SELECT last_value FROM message_number) AS numbers WHERE last_value < $1", [Parameter(greatest)]);
            inOrder.Add(company);
        }

        main.Add("SELECT set_config('synchronous_commit', 'off', true)", []);
        AskNumbers("message", messages);
    }

    /// <summary>Limits the wait for a company's lock.</summary>
    private void SetPatience(bool isAny)
    {
        if (isAny && patienceSeconds is { } seconds) pipe.Add($"SET LOCAL lock_timeout = '{seconds.ToString(CultureInfo.InvariantCulture)}s'", []);
    }

    /// <summary>Ends that limit. Other locks are held by other writers, for a short time.</summary>
    private void EndPatience(bool isAny)
    {
        if (isAny && patienceSeconds is not null) pipe.Add("SET LOCAL lock_timeout TO DEFAULT", []);
    }

    private void Lock(long company, LockMode hold)
    {
        // Through the coordinator: a DELETE that matches no row keeps the company's shards in place, and makes Citus run the lock functions on the company's worker.
        var isAway = isDistributed && place is null && company > Engine.NoCompany;
        if (isAway) pipe.Add("DELETE FROM usage_day WHERE company = $1 AND day = -1", [Parameter(company)]);
        Lock(hold is LockMode.Rewrite ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared", 0);
        if (hold is LockMode.Bind) Lock("pg_advisory_xact_lock", 1);

        void Lock(string function, int which)
        {
            if (isAway) pipe.Add($"SELECT {function}($2) FROM (SELECT COUNT(*) FROM usage_day WHERE company = $1 AND day = -1) AS here", [Parameter(company), Parameter(LockOf(company, which))]);
            else pipe.Add($"SELECT {function}($1)", [Parameter(LockOf(company, which))]);
        }
    }

    private long LockOf(long company, int which) => ((long)(locks ^ (which * 0x5bd1e995)) << 32) | (uint)company;
}
