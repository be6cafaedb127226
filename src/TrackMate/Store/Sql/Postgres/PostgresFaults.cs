using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Classifies the failures of PostgreSQL and Citus. Citus reports some failures of workers without a code of their own, in texts that are never translated.</summary>
internal static class PostgresFaults
{
    /// <inheritdoc cref="Engine.IsUnavailable"/>
    public static bool IsUnavailable(Exception e) => e switch
    {
        // Connections, resources, an operator's intervention, the system; a primary that has become a standby (read-only); locks that were not granted in time.
        PostgresException failure => failure.SqlState[..2] is "08" or "53" or "57" or "58" or "40" || failure.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.LockNotAvailable
            || IsLostWorker(failure) || IsMoving(failure),
        NpgsqlException or SocketException or TimeoutException or IOException => true,
        _ => false,
    };

    /// <summary>A duplicate key means that another server wrote the same key at the same moment. Missing shards have been moved.</summary>
    public static bool IsTransient(Exception e) => e is ElsewhereException || (e is PostgresException failure
        && (failure.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
            || IsMoving(failure)
            // When COPY fails on a worker, Citus reports its own code and text. The text contains the name of the unique index in every language.
            || (failure.SqlState is PostgresErrorCodes.InternalError && failure.MessageText.Contains("message_by_event_id_", StringComparison.Ordinal))));

    /// <inheritdoc cref="Engine.IsLost"/>
    public static bool IsLost(Exception e) => e switch
    {
        // A primary that has become a standby accepts no more writes. Another server may be the new primary.
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
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => "Try again; on a cluster, once all machines are reachable.",
        PostgresException failure when IsLostWorker(failure) => "Start the worker if it is not running; the server then reconnects by itself.",
        PostgresException failure when failure.SqlState[..2] is "57" or "08" => "Try again; on a cluster, once all machines are reachable.",
        PostgresException => "",
        UnconfirmedCommitException { IsWorkers: true } => "Start the worker if it does not run. What is prepared there is committed within citus.recover_2pc_interval.",
        UnconfirmedCommitException => "Start the replica, or take it out of synchronous_standby_names.",
        NpgsqlException when e.GetBaseException() is AuthenticationException =>
            "Its certificate is not valid for this name, or its authority is not trusted here: set sslrootcert to the authority's file, or encrypt without verification with sslmode=require.",
        // The connection could not be opened.
        NpgsqlException { InnerException: not null } or SocketException or TimeoutException or IOException => "Check that it is running there and accepts connections from this machine.",
        _ => "",
    };

    /// <summary>Whether a worker was lost in the middle of a transaction or during its commit. Citus has no code for that.</summary>
    private static bool IsLostWorker(PostgresException e) => e.SqlState is PostgresErrorCodes.InternalError
        && (e.MessageText.StartsWith("failure on connection marked as essential", StringComparison.Ordinal) || e.MessageText.StartsWith("could not commit transaction for shard", StringComparison.Ordinal)
            || IsStoppedWorker(e));

    /// <summary>Whether the coordinator passes on the last message of a worker that is being stopped.</summary>
    private static bool IsStoppedWorker(PostgresException e) => e.SqlState is PostgresErrorCodes.InternalError && e.MessageText.Contains("terminating connection due to ", StringComparison.Ordinal);

    /// <summary>Whether the shards have been moved to another worker, or split.</summary>
    private static bool IsMoving(PostgresException e) =>
        (e.SqlState is PostgresErrorCodes.InternalError && e.MessageText.StartsWith("could not find valid entry for shard", StringComparison.Ordinal))
        // The worker that held the shard no longer has its table.
        || (e.SqlState is PostgresErrorCodes.UndefinedTable && e.MessageText.Split('"') is [_, var table, ..] && char.IsAsciiDigit(table[^1]));
}
