using System.Globalization;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>How transactions begin: where, and with which locks.</summary>
internal sealed partial class PostgresDatabase
{
    private const string ReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /// <summary>That Citus neither moves nor splits the company's shards before the transaction ends: a share lock, which a move takes alone. There is none where they have gone.</summary>
    private const string LockShards = "SELECT lock_shard_metadata(5, ARRAY[shardid]) FROM pg_dist_placement WHERE shardid = $1 AND groupid = $2";

    private const string FindShards = "SELECT 1 FROM pg_dist_placement WHERE shardid = $1 AND groupid = $2";

    /// <summary>Companies whose numbers of messages have been looked at since we connected to the coordinator.</summary>
    private readonly HashSet<long> inOrder = [];

    /// <summary>
    /// Everybody takes the company's first lock, alone who rewrites it; who binds takes the second one, alone. So any number append while one binds, and nobody does
    /// anything while one rewrites. Companies are locked in the order of their numbers, so that two servers never wait for each other.
    /// </summary>
    public override void BeginWrite(IEnumerable<(long Company, LockMode Mode)> holds, int messages = 0)
    {
        // What begins later has greater numbers than all that is there, so none is left over from before.
        foreach (var table in InOrder) numbers.Remove(table);
        var companies = holds.GroupBy(hold => hold.Company, hold => hold.Mode).OrderBy(company => company.Key).Select(company => (Number: company.Key, Mode: company.Max())).ToList();
        if (companies is [{ Number: > Engine.NoCompany, Mode: not LockMode.Rewrite } only] && TryBeginOnWorker(only.Number, only.Mode, messages)) return;

        pipe.Add("BEGIN", []);
        (inTransaction, hasBegun) = (true, false);
        // What derives a company anew may go through all that it holds.
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
        for (var attempt = 1; company is { } number && attempt <= 2 && lines?.To(number) is { } line; attempt++)
        {
            (pipe, place, inTransaction) = (line.Pipe, line.Shards, true);
            pipe.Add(ReadOnly, []);
            if (IsHere()) return;
            Execute("ROLLBACK");
            lines.Forget(number);
        }

        Execute(ReadOnly);
    }

    /// <summary>
    /// Begins on the worker that holds the company, where there is one that can be reached. The locks lie there too, and so do those of a transaction that goes through
    /// the coordinator: whoever writes the company meets them, whichever way it goes.
    /// </summary>
    private bool TryBeginOnWorker(long company, LockMode hold, int messages)
    {
        for (var attempt = 1; attempt <= 2 && lines?.To(company) is { } line; attempt++)
        {
            (pipe, place, inTransaction, hasBegun, begunFor) = (line.Pipe, line.Shards, true, true, company);
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
                // They may have gone while we waited for them.
                lines.Forget(company);
                throw;
            }

            Execute("ROLLBACK");
            lines.Forget(company);
        }

        return false;
    }

    /// <summary>Whether the company's shards are where they were; what waits is sent with it.</summary>
    private bool IsHere() => pipe.Query(FindShards, [Parameter(place!.Shard), Parameter(place.Group)]).Count > 0;

    /// <summary>
    /// Asks for numbers of messages, which are on their way with what is asked of the coordinator next. Nobody waits until they are on its disk; if it loses some, as by a
    /// power cut, it loses our connection too, and after that each company's are compared with those that are there.
    /// </summary>
    /// <param name="last">The greatest that is there, where they are to be compared.</param>
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

    /// <summary>How long a company that somebody else holds is waited for.</summary>
    private void SetPatience(bool isAny)
    {
        if (isAny && patienceSeconds is { } seconds) pipe.Add($"SET LOCAL lock_timeout = '{seconds.ToString(CultureInfo.InvariantCulture)}s'", []);
    }

    /// <summary>Whom else a statement waits for is another one that writes, and soon done.</summary>
    private void EndPatience(bool isAny)
    {
        if (isAny && patienceSeconds is not null) pipe.Add("SET LOCAL lock_timeout TO DEFAULT", []);
    }

    private void Lock(long company, LockMode hold)
    {
        // Through the coordinator: a change of nothing keeps the company's shards where they are, and what is asked of them is done where they lie.
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
