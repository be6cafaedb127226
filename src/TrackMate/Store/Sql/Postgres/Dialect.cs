using System.Text;
using System.Text.RegularExpressions;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Translates the common SQL for PostgreSQL: parameters become <c>$1</c>, and hints for SQLite's planner are removed.</summary>
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

    /// <summary>INDEXED BY, and the plus sign that keeps SQLite's planner from using an index.</summary>
    [GeneratedRegex(@" INDEXED BY \w+|(?<=[ (])\+(?=company\b)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlannersHint();
}
