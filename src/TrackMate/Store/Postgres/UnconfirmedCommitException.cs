using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>A commit that is on one machine only: the replica that was to confirm it has not, and PostgreSQL tells it as done beside a warning.</summary>
internal sealed class UnconfirmedCommitException(string warning) : NpgsqlException($"the replica that is to confirm each commit (synchronous_standby_names) has not done so in time: {warning}");
