using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>
/// A commit that PostgreSQL reports as done beside a warning: the replica that was to confirm it has not, so that it is on one machine only; or a worker of Citus did not
/// answer it, and has it prepared.
/// </summary>
internal sealed class UnconfirmedCommitException(PostgresNotice warning) : NpgsqlException(IsOfWorker(warning)
    ? $"a worker has not answered the commit: {warning.MessageText}"
    : $"the replica that is to confirm each commit (synchronous_standby_names) has not done so in time: {warning.MessageText}")
{
    public bool IsWorkers { get; } = IsOfWorker(warning);

    /// <summary>Of a replica the warning has no code, or that of the shut-down.</summary>
    private static bool IsOfWorker(PostgresNotice warning) => warning.SqlState is not (PostgresErrorCodes.Warning or PostgresErrorCodes.AdminShutdown);
}
