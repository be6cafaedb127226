using System.Text;
using System.Text.RegularExpressions;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Says in PostgreSQL's words what every engine is asked: parameters are <c>$1</c>, and what only SQLite's planner has to be told is left out.</summary>
internal static partial class Dialect
{
    public static string Of(string sql)
    {
        sql = PlannersHint().Replace(sql, "");
        var text = new StringBuilder(sql.Length + 16);
        var (next, quoted) = (0, false);
        for (var i = 0; i < sql.Length; i++)
        {
            if (sql[i] == '\'') quoted = !quoted;
            text.Append(sql[i] is '?' && !quoted ? '$' : sql[i]);
            if (sql[i] is '?' && !quoted && (i + 1 == sql.Length || !char.IsAsciiDigit(sql[i + 1]))) text.Append(++next);
        }

        return text.ToString();
    }

    /// <summary>An index to take, and the plus that keeps the planner off one.</summary>
    [GeneratedRegex(@" INDEXED BY \w+|(?<=[ (])\+(?=company\b)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlannersHint();
}
