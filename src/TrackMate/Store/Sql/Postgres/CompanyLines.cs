namespace TrackMate.Store.Sql.Postgres;

/// <summary>The connections that stand beside one to the coordinator, each straight to a worker, and what statements are called on the shards there.</summary>
internal sealed class CompanyLines(CitusWorkers workers, PostgresPipe coordinator, bool readOnly) : IDisposable
{
    /// <summary>Statements are prepared for each shard; of more shards than these a connection forgets them and begins anew.</summary>
    private const int MostShards = 8;

    private readonly Dictionary<(string Host, int Port), Line> open = [];
    private readonly Dictionary<(long Shard, string Sql), string?> placed = new(new ByReference());

    private sealed record Line(PostgresPipe Pipe)
    {
        public HashSet<long> Shards { get; } = [];
    }

    /// <summary>What one failed with while it was read.</summary>
    public Exception? Fault => open.Values.Select(line => line.Pipe.Fault).FirstOrDefault(fault => fault is not null);

    /// <summary>Leads to the worker that holds a company.</summary>
    /// <returns>Null where the coordinator is to be asked.</returns>
    /// <exception cref="Npgsql.NpgsqlException">The worker does not answer.</exception>
    public (PostgresPipe Pipe, CompanyShards Shards)? To(long company)
    {
        if (workers.Of(company, coordinator) is not { } shards) return null;
        if (!open.TryGetValue(shards.Machine, out var line))
        {
            if (workers.Connect(shards, readOnly) is not { } pipe) return null;
            open.Add(shards.Machine, line = new(pipe));
        }

        if (!line.Shards.Contains(shards.Shard) && line.Shards.Count == MostShards)
        {
            line.Pipe.Unprepare();
            line.Shards.Clear();
            placed.Clear();
        }

        line.Shards.Add(shards.Shard);
        return (line.Pipe, shards);
    }

    /// <inheritdoc cref="CitusWorkers.Forget"/>
    public void Forget(long company) => workers.Forget(company);

    /// <inheritdoc cref="CitusWorkers.GoAround"/>
    public void GoAround(long company) => workers.GoAround(company);

    /// <inheritdoc cref="CompanyShards.Place"/>
    /// <param name="sql">A constant: statements are kept by reference.</param>
    /// <returns>Null for what only the coordinator can answer.</returns>
    public string? Place(string sql, CompanyShards shards)
    {
        if (placed.TryGetValue((shards.Shard, sql), out var known)) return known;
        return placed[(shards.Shard, sql)] = CompanyShards.IsOfInstallation(sql) ? null : shards.Place(sql);
    }

    public void Dispose()
    {
        foreach (var line in open.Values) line.Pipe.Dispose();
    }

    /// <summary>Statements are constants.</summary>
    private sealed class ByReference : IEqualityComparer<(long Shard, string Sql)>
    {
        public bool Equals((long Shard, string Sql) x, (long Shard, string Sql) y) => x.Shard == y.Shard && ReferenceEquals(x.Sql, y.Sql);

        public int GetHashCode((long Shard, string Sql) one) => HashCode.Combine(one.Shard, System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(one.Sql));
    }
}
