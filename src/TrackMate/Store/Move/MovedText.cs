using System.Text;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>
/// Handles the character U+0000, which PostgreSQL cannot store in text. No stored message contains it, since the receiver rejects it (Http/JsonRules.cs). But versions up
/// to 0.1 stored the eventId of a rejected message with it. Such an eventId refers to no stored event, so the character is replaced there.
/// </summary>
internal static class MovedText
{
    /// <summary>The bytes of a text or blob as they are copied.</summary>
    public static ReadOnlySpan<byte> Of(MovedTable table, int column, ReadOnlySpan<byte> bytes)
    {
        if (table is not { Name: "rejected" or "rejected_event" } || table.Columns[column] is not { Name: "event_id" } || !bytes.Contains((byte)0)) return bytes;
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace('\0', '\uFFFD'));
    }

    /// <summary>The same as a string.</summary>
    /// <exception cref="MoveFailedException">The text contains U+0000.</exception>
    public static string Read(MovedTable table, int column, Statement row)
    {
        var text = Encoding.UTF8.GetString(Of(table, column, row.Bytes(column)));
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new MoveFailedException($"In the table {table.Name} ({table.Describe(row)}) {table.Columns[column].Name} holds the character U+0000, which PostgreSQL cannot keep; please report this.")
            : text;
    }
}
