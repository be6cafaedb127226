namespace TrackMate.Store.Sql.Postgres;

/// <summary>A writer's or reader's direct connections to workers, beside its connection to the coordinator, and the text of each statement for the shards there.</summary>
internal sealed class WorkerConnections(CitusWorkers workers, PostgresPipe coordinator, bool readOnly) : IDisposable
{
    /// <summary>Statements are prepared for each shard. Beyond this number of shards a connection drops all of them and starts again.</summary>
    private const int MostShards = 8;

    private readonly Dictionary<(string Host, int Port), Connection> open = [];
    private readonly Dictionary<(long Shard, string Sql), string?> placed = new(new ByReference());

    private sealed record Connection(PostgresPipe Pipe)
    {
        public HashSet<long> Shards { get; } = [];
    }

    /// <summary>The failure of a worker's connection, or null.</summary>
    public Exception? Fault => open.Values.Select(connection => connection.Pipe.Fault).FirstOrDefault(fault => fault is not null);

    /// <summary>The connection to the worker that holds a company.</summary>
    /// <returns>Null if the coordinator must be used.</returns>
    /// <exception cref="Npgsql.NpgsqlException">The worker does not answer.</exception>
    public (PostgresPipe Pipe, CompanyShards Shards)? To(long company)
    {
        if (workers.Of(company, coordinator) is not { } shards) return null;
        if (!open.TryGetValue(shards.Machine, out var connection))
        {
            if (workers.Connect(shards, readOnly) is not { } pipe) return null;
            open.Add(shards.Machine, connection = new(pipe));
        }

        if (!connection.Shards.Contains(shards.Shard) && connection.Shards.Count == MostShards)
        {
            connection.Pipe.Unprepare();
            connection.Shards.Clear();
            placed.Clear();
        }

        connection.Shards.Add(shards.Shard);
        return (connection.Pipe, shards);
    }

    /// <inheritdoc cref="CitusWorkers.Invalidate"/>
    public void Invalidate(long company) => workers.Invalidate(company);

    /// <inheritdoc cref="CitusWorkers.GoAround"/>
    public void GoAround(long company) => workers.GoAround(company);

    /// <inheritdoc cref="CompanyShards.Place"/>
    /// <param name="sql">A constant string: texts are found by reference.</param>
    /// <returns>Null if only the coordinator can run the statement.</returns>
    public string? Place(string sql, CompanyShards shards)
    {
        if (placed.TryGetValue((shards.Shard, sql), out var known)) return known;
        return placed[(shards.Shard, sql)] = CompanyShards.IsOfInstallation(sql) ? null : shards.Place(sql);
    }

    public void Dispose()
    {
        foreach (var connection in open.Values) connection.Pipe.Dispose();
    }

    /// <summary>Compares statements by reference, since they are constants.</summary>
    private sealed class ByReference : IEqualityComparer<(long Shard, string Sql)>
    {
        public bool Equals((long Shard, string Sql) x, (long Shard, string Sql) y) => x.Shard == y.Shard && ReferenceEquals(x.Sql, y.Sql);

        public int GetHashCode((long Shard, string Sql) one) => HashCode.Combine(one.Shard, System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(one.Sql));
    }
}
