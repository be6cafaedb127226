using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using TrackMate.Bind;
using TrackMate.Store.Tables;
using TrackMate.Tests.Docs;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What a number in a table means is named in <c>Store/Tables</c>, and statements say the name.</summary>
[NoStore]
public sealed partial class NamedValuesTests
{
    /// <summary>Columns whose numbers stand for something, in whichever table (docs/architecture.md, Numbers in the tables).</summary>
    private static readonly string[] Columns = ["origin", "named", "kind", "method", "trust", "standing", "stop", "ledger", "call"];

    [Fact]
    public void Names_stand_for_the_numbers_of_the_code()
    {
        AssertIs(Origin.Browser, MessageTable.Browser);
        AssertIs(Origin.Server, MessageTable.Server);
        AssertIs(IdentifierKind.Bare, MessageTable.NamedBare);
        AssertIs(IdentifierKind.External, ClaimTable.NamedExternal);
        AssertIs(IdentifierKind.Bare, ClaimTable.NamedBare);
        AssertIs(IdentifierKind.Bare, IdentifierTable.Bare);
        AssertIs(ClaimMethod.Identify, ClaimTable.Identify);
        AssertIs(ClaimMethod.Webhook, ClaimTable.Webhook);
        AssertIs(Trust.Claimed, ClaimTable.Claimed);
        AssertIs(Trust.Verified, ClaimTable.Verified);
        AssertIs(FirstClaimStatus.Revoked, FirstClaimTable.Revoked);
        AssertIs(FirstClaimStatus.Believed, FirstClaimTable.Stands);
        AssertIs(FirstClaimStatus.TooLate, FirstClaimTable.TooLate);
        AssertIs(Trust.Claimed, PairTable.Claimed);
        AssertIs(Trust.Verified, PairTable.Verified);
        AssertIs(Trust.Verified, TraitSaidTable.Verified);
        var kinds = typeof(ActTable).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(field => field.Name, field => (string)field.GetRawConstantValue()!);
        Assert.Equal(Enum.GetNames<ActKind>().Order(StringComparer.Ordinal), kinds.Keys.Order(StringComparer.Ordinal));
        Assert.All(Enum.GetValues<ActKind>(), kind => AssertIs(kind, kinds[kind.ToString()]));
    }

    [Fact]
    public void No_statement_compares_or_assigns_such_a_column_with_a_bare_number()
    {
        var root = DocsTests.PathOf("src/TrackMate");
        var found = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(root, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .SelectMany(file => BareNumbers(file.Text).Select(found => $"{file.Name}({file.Text.AsSpan(0, found.Index).Count('\n') + 1}): {found.Text}"));
        Assert.True(!found.Any(), $"Give these numbers a name in Store/Tables and use it:\n{string.Join('\n', found)}");
    }

    [Theory]
    [InlineData("""SELECT 1 FROM claim c WHERE c.trust = 1""", "trust = 1")]
    [InlineData("""AND standing <> 0 AND third""", "standing <> 0")]
    [InlineData("""UPDATE pair SET stop = ?, standing=2""", "standing=2")]
    [InlineData("""undone_ms IS NULL AND kind IN (2, 4)""", "kind IN (2")]
    [InlineData("""kind NOT IN (2, 4)""", "kind NOT IN (2")]
    [InlineData("""origin IS NOT DISTINCT FROM 1""", "origin IS NOT DISTINCT FROM 1")]
    [InlineData("""SET standing = CASE WHEN EXISTS (SELECT 1 FROM act) THEN 0 END""", "standing = CASE WHEN EXISTS (SELECT 1 FROM act) THEN 0")]
    [InlineData("""WHERE method >= 1""", "method >= 1")]
    public void A_bare_number_is_found(string sql, string found) => Assert.Equal(found, Assert.Single(BareNumbers(sql)).Text);

    [Theory]
    [InlineData("AND standing = {ClaimTable.Stands} AND kind = ?1 AND session = 0 AND origin = r.origin")]
    [InlineData("if (standing == 0 || trust != 1) return;")]
    [InlineData("SET standing = CASE WHEN trust = {ClaimTable.Verified} THEN ?4 ELSE ?5 END")]
    public void A_name_or_parameter_is_none(string text) => Assert.Empty(BareNumbers(text));

    private static List<(int Index, string Text)> BareNumbers(string text) =>
        [.. BareNumber().Matches(text).Where(found => Columns.Contains(found.Groups["column"].Value)).Select(found => (found.Index, found.Value))];

    private static void AssertIs<T>(T value, string name)
        where T : struct, Enum => Assert.Equal(Convert.ToInt32(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture), name);

    [GeneratedRegex(@"\b(?<column>[a-z]+)\s*(?:(?:=|<>|<=|>=|<|>|\bIS (?:NOT )?DISTINCT FROM\b|\b(?:NOT )?IN\s*\()\s*-?[0-9]|=\s*CASE\b(?:(?!\bEND\b)[^""])*?\b(?:THEN|ELSE) [0-9])")]
    private static partial Regex BareNumber();
}
