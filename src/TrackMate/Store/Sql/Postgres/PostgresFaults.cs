using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>What a failure of PostgreSQL or Citus means. Citus reports some failures of workers without a code of their own; those texts are in no catalogue of translations.</summary>
internal static class PostgresFaults
{
    /// <inheritdoc cref="Engine.IsUnavailable"/>
    public static bool IsUnavailable(Exception e) => e switch
    {
        // Connections, resources, an operator's intervention, the system itself; read-only is a primary that has become a standby; locks that were waited for in vain.
        PostgresException failure => failure.SqlState[..2] is "08" or "53" or "57" or "58" or "40" || failure.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.LockNotAvailable
            || IsLostWorker(failure) || IsMoving(failure),
        NpgsqlException or SocketException or TimeoutException or IOException => true,
        _ => false,
    };

    /// <summary>A key that is there already was written by another server at this very moment; shards that have gone are elsewhere now.</summary>
    public static bool IsTransient(Exception e) => e is ElsewhereException || (e is PostgresException failure
        && (failure.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
            || IsMoving(failure)
            // What COPY met on a worker Citus reports in its words, with a code of Citus' own; the name of the key is in any language.
            || (failure.SqlState is PostgresErrorCodes.InternalError && failure.MessageText.Contains("message_by_event_id_", StringComparison.Ordinal))));

    /// <inheritdoc cref="Engine.IsLost"/>
    public static bool IsLost(Exception e) => e switch
    {
        // One that has become a standby takes nothing any more; another one may be the primary.
        PostgresException failure => failure.SqlState[..2] is "08" || failure.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.ReadOnlySqlTransaction
            || IsStoppedWorker(failure),
        UnconfirmedCommitException => false,
        NpgsqlException { InnerException: TimeoutException } => false,
        NpgsqlException or SocketException or IOException => true,
        _ => false,
    };

    /// <inheritdoc cref="Engine.RemedyOf"/>
    public static string RemedyOf(Exception e) => e switch
    {
        PostgresException failure when IsMoving(failure) => "Citus is moving or splitting the company's shards; try again when that is done (SELECT * FROM get_rebalance_progress()).",
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => "Try again; where it is many machines, once all of them are there.",
        PostgresException failure when IsLostWorker(failure) => "Start the worker if it does not run; then it comes back by itself.",
        PostgresException failure when failure.SqlState[..2] is "57" or "08" => "Try again; where it is many machines, once all of them are there.",
        PostgresException => "",
        UnconfirmedCommitException { IsWorkers: true } => "Start the worker if it does not run. What is prepared there is committed within citus.recover_2pc_interval.",
        UnconfirmedCommitException => "Start the replica, or take it out of synchronous_standby_names.",
        NpgsqlException when e.GetBaseException() is AuthenticationException =>
            "Its certificate is not one for this name from an authority that is known here: name the authority's file with sslrootcert, or encrypt without verifying it, with sslmode=require.",
        // It was not reached.
        NpgsqlException { InnerException: not null } or SocketException or TimeoutException or IOException => "Check that it runs there and lets this machine in.",
        _ => "",
    };

    /// <summary>A worker that went in the middle of a transaction, or as it was committed: Citus has no code for that.</summary>
    private static bool IsLostWorker(PostgresException e) => e.SqlState is PostgresErrorCodes.InternalError
        && (e.MessageText.StartsWith("failure on connection marked as essential", StringComparison.Ordinal) || e.MessageText.StartsWith("could not commit transaction for shard", StringComparison.Ordinal)
            || IsStoppedWorker(e));

    /// <summary>A worker's last words as it is stopped, handed on by the coordinator.</summary>
    private static bool IsStoppedWorker(PostgresException e) => e.SqlState is PostgresErrorCodes.InternalError && e.MessageText.Contains("terminating connection due to ", StringComparison.Ordinal);

    /// <summary>Shards that were there have been moved to another worker, or split.</summary>
    private static bool IsMoving(PostgresException e) =>
        (e.SqlState is PostgresErrorCodes.InternalError && e.MessageText.StartsWith("could not find valid entry for shard", StringComparison.Ordinal))
        // The shard itself, on the worker that held it.
        || (e.SqlState is PostgresErrorCodes.UndefinedTable && e.MessageText.Split('"') is [_, var table, ..] && char.IsAsciiDigit(table[^1]));
}
