namespace TrackMate.Store.Sql.Sqlite;

/// <summary>Checks that the file is intact: every page, every index, every row in its order.</summary>
internal static class Integrity
{
    /// <returns>The first fault, or null.</returns>
    public static string? Of(Database database)
    {
        using var check = database.Use("PRAGMA integrity_check(1)");
        return check.Next() && check.Text(0) is var fault && fault != "ok" ? fault : null;
    }
}
