using System.Text.RegularExpressions;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Every statement about a company's tables says which company: on Citus it goes to one worker, and nobody's rows are mixed with another's.</summary>
[OwnStore]
public sealed partial class OneCompanyTests
{
    [Fact]
    public void Every_statement_about_a_companys_tables_names_the_company()
    {
        var tables = CompanysTables();
        Assert.Contains("message", tables);
        var statements = Sources().SelectMany(source => Statements().Matches(source.Text).Select(sql => (source.File, Sql: sql.Groups["raw"].Success ? sql.Groups["raw"].Value : sql.Groups["plain"].Value))).ToList();
        Assert.True(statements.Count > 200, $"Only {statements.Count} statements were found; the pattern does not fit the code any more.");

        var wrong = new List<string>();
        foreach (var (file, sql) in statements)
        {
            // Parts that are put together with others say it there: those that begin with SELECT and have no condition of their own.
            var named = Tables().Matches(sql).Select(table => table.Groups["table"].Value).Where(tables.Contains).ToList();
            if (named.Count == 0 || (sql.TrimStart().StartsWith("SELECT", StringComparison.Ordinal) && !sql.Contains("WHERE", StringComparison.Ordinal))) continue;
            // Citus sees on which worker a row within another statement lies only where it is told the company, not where it is told that the two are the same.
            if (!Company().IsMatch(sql) || OnlyTheSame().IsMatch(sql) || Joins().Matches(sql).Any(join => !join.Value.Contains("company", StringComparison.Ordinal))) wrong.Add($"{file}: {sql}");
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    [Fact]
    public void What_only_SQLites_planner_has_to_be_told_is_left_out()
    {
        Assert.Equal("SELECT id FROM message WHERE company = $1 AND '?' <> $2", Dialect.Of("SELECT id FROM message INDEXED BY message_by_session WHERE +company = ? AND '?' <> ?"));
        Assert.Equal("UPDATE pair SET stop = $4 WHERE company = $1 AND low = $1", Dialect.Of("UPDATE pair SET stop = ?4 WHERE company = ?1 AND low = ?1"));
    }

    /// <summary>Those whose key begins with the company, but for the ones that stay on the coordinator.</summary>
    private static HashSet<string> CompanysTables() =>
        [.. CompanyKeys().Matches(File.ReadAllText(Path.Combine(Root(), "Store/Tables/Postgres/001-spine.sql"))).Select(table => table.Groups["table"].Value).Where(table => table is not "suppressed")];

    private static IEnumerable<(string File, string Text)> Sources() =>
        Directory.EnumerateFiles(Root(), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && !file.Contains("Sqlite", StringComparison.Ordinal))
            .Where(file => !file.EndsWith("BackupFile.cs", StringComparison.Ordinal))
            .Select(file => (Path.GetRelativePath(Root(), file), WithColumns(file, File.ReadAllText(file))));

    /// <summary>Statements as they are put together from the definition of <c>message</c>. Of whole rows the list of columns is left out: it names the company, and a condition has to.</summary>
    private static string WithColumns(string file, string text) => file.EndsWith("MessageTable.cs", StringComparison.Ordinal)
        ? text.Replace("{Columns}", MessageTable.Columns, StringComparison.Ordinal)
        : text.Replace("MessageTable.Select + $\"", "\"SELECT id FROM message", StringComparison.Ordinal).Replace("MessageTable.Select + \"", "\"SELECT id FROM message", StringComparison.Ordinal)
            .Replace("{MessageTable.Select}", "SELECT id FROM message", StringComparison.Ordinal);

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "TrackMate.slnx"))) return Path.Combine(folder.FullName, "src/TrackMate");
        }

        throw new InvalidOperationException("The tests do not lie in the repository.");
    }

    [GeneratedRegex("\"\"\"\\s*(?<raw>(?:SELECT|INSERT|UPDATE|DELETE|COPY) .*?)\"\"\"|\"(?<plain>(?:SELECT|INSERT|UPDATE|DELETE|COPY) [^\"\\n]*)\"", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Statements();

    [GeneratedRegex(@"\b(?:FROM|JOIN|INTO|UPDATE|COPY) (?<table>[a-z_]+)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tables();

    [GeneratedRegex(@"\bcompany = |\(company,|\bid, company,|\(message, company,|, company,", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Company();

    [GeneratedRegex(@"WHERE (?:\w+\.)?company = \w+\.company|LEFT JOIN [^?]*\.company = \w+\.company", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OnlyTheSame();

    [GeneratedRegex(@"JOIN [a-z_]+ \w+\s+ON .*?(?=JOIN|WHERE|$)", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Joins();

    [GeneratedRegex(@"CREATE TABLE (?<table>\w+) \((?:(?!\n\);).)*PRIMARY KEY \(company", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CompanyKeys();
}
