using System.Text.RegularExpressions;
using TrackMate.Bind;
using TrackMate.Store.Tables;

namespace TrackMate.Tests.Docs;

/// <summary>What docs/architecture.md says of files and of numbers in the tables is so.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Text = File.ReadAllText(DocsTests.PathOf("docs/architecture.md"));

    [Fact]
    public void Every_file_on_a_path_is_there_and_on_it_once()
    {
        var section = Text[Text.IndexOf("## File by file", StringComparison.Ordinal)..Text.IndexOf("## Caches and locks", StringComparison.Ordinal)];
        Assert.All(Files().Matches(section), file => Assert.True(File.Exists(DocsTests.PathOf("src/TrackMate/" + file.Groups[1].Value)), file.Value));
        var paths = section.Split("\n\n").Where(block => block.StartsWith("1. ", StringComparison.Ordinal)).Select(block => Files().Matches(block).Select(file => file.Value).ToList()).ToList();
        Assert.Equal(4, paths.Count);
        Assert.All(paths, path => Assert.Equal(path.Distinct(), path));
        Assert.InRange(paths[0].Count, 1, 20);
    }

    [Fact]
    public void Numbers_in_the_tables_are_those_of_the_code()
    {
        AssertNumbers<JoinStop>("pair.stop", ("two externalIds", JoinStop.TwoExternalIds), ("too many e-mails", JoinStop.TooManyEmails), ("too many joins", JoinStop.TooManyJoins), ("revoked", JoinStop.Revoked),
            ("frozen", JoinStop.Frozen), ("contradicted", JoinStop.Contradicted), ("too many sessions", JoinStop.TooManySessions));
        AssertNumbers<ActKind>("act.kind", ("revoke a claim", ActKind.RevokeClaim), ("revoke a pair", ActKind.RevokePair), ("un-bind", ActKind.Unbind), ("merge", ActKind.Merge), ("isolate", ActKind.Isolate), ("freeze", ActKind.Freeze));
        AssertNumbers<IdentifierKind>("identifier.kind", ("e-mail", IdentifierKind.Email), ("externalId", IdentifierKind.External), ("an id of which", IdentifierKind.Bare));
        AssertNumbers<ClaimMethod>("claim.method", ("identify", ClaimMethod.Identify), ("webhook", ClaimMethod.Webhook));
        AssertNumbers<Trust>("claim.trust", ("claimed", Trust.Claimed), ("verified", Trust.Verified));
        AssertNumbers<Origin>("message.origin", ("browser", Origin.Browser), ("server", Origin.Server));
        AssertNumbers<MoneyKind>("ledger_entry.kind", ("payment", MoneyKind.Payment), ("refund", MoneyKind.Refund));
        AssertNumbers<ReceivingCall>("rejected.call", ("events", ReceivingCall.Events), ("profile", ReceivingCall.Profile), ("webhooks", ReceivingCall.Webhooks));
    }

    private static void AssertNumbers<T>(string column, params (string Words, T Value)[] values)
        where T : struct, Enum
    {
        var row = Text.Split('\n').Single(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Split('|')[1].Contains($"`{column}`", StringComparison.Ordinal));
        Assert.All(values, value => Assert.Contains($"{Convert.ToInt32(value.Value)} {value.Words}", row));
    }

    [GeneratedRegex(@"`((?:Http|Host|Receive|Bind|Store|Show)/[\w/]+\.cs)`")]
    private static partial Regex Files();
}
