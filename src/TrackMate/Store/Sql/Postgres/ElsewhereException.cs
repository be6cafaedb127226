using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>A transaction on a worker came to something that only the coordinator can write: it is begun anew there.</summary>
internal sealed class ElsewhereException() : NpgsqlException("this is written through the coordinator");
