using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>A transaction on a worker reached a statement that only the coordinator can run. It is started again there.</summary>
internal sealed class ElsewhereException() : NpgsqlException("this is written through the coordinator");
