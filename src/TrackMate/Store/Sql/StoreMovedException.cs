namespace TrackMate.Store.Sql;

/// <summary>The files of the store are no longer those that the server opened. A commit into them is not acknowledged.</summary>
internal sealed class StoreMovedException(string store) : IOException($"{store} was deleted, moved or replaced while the server runs. Nothing is taken until it is back: stop the server, bring the folder back or restore a backup, and start it again");
