using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// PostgreSQL reported a commit as done, together with a warning. Either the replica that should confirm it did not, so the commit is on one machine only; or a Citus
/// worker did not answer the commit, and has it prepared.
/// </summary>
internal sealed class UnconfirmedCommitException(PostgresNotice warning) : NpgsqlException(IsOfWorker(warning)
    ? $"a worker has not answered the commit: {warning.MessageText}"
    : $"the replica that is to confirm each commit (synchronous_standby_names) has not done so in time: {warning.MessageText}")
{
    public bool IsWorkers { get; } = IsOfWorker(warning);

    /// <summary>The warning about a replica has no code, or the code of the shutdown.</summary>
    private static bool IsOfWorker(PostgresNotice warning) => warning.SqlState is not (PostgresErrorCodes.Warning or PostgresErrorCodes.AdminShutdown);
}
