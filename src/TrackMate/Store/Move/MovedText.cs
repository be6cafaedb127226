using System.Text;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>
/// Text with U+0000 is what PostgreSQL cannot keep. No message has it: the receiver refuses it (Http/JsonRules.cs). Of a refused one, versions up to 0.1 kept the
/// eventId with it; there, where it names nothing that is stored, it is replaced.
/// </summary>
internal static class MovedText
{
    /// <summary>A text or blob as it is moved.</summary>
    public static ReadOnlySpan<byte> Of(MovedTable table, int column, ReadOnlySpan<byte> bytes)
    {
        if (table is not { Name: "rejected" or "rejected_event" } || table.Columns[column] is not { Name: "event_id" } || !bytes.Contains((byte)0)) return bytes;
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace('\0', '\uFFFD'));
    }

    /// <summary>The same as text.</summary>
    /// <exception cref="MoveFailedException">It has U+0000.</exception>
    public static string Read(MovedTable table, int column, Statement row)
    {
        var text = Encoding.UTF8.GetString(Of(table, column, row.Bytes(column)));
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new MoveFailedException($"In the table {table.Name} ({table.Describe(row)}) {table.Columns[column].Name} holds the character U+0000, which PostgreSQL cannot keep; please report this.")
            : text;
    }
}
