using System.Collections.Frozen;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>On a worker of Citus a statement names the shards, and is the same otherwise.</summary>
[NoStore]
public sealed class CompanyShardsTests
{
    private static readonly CompanyShards Shards =
        new("worker", 5432, 1, 7, new Dictionary<string, string> { ["message"] = "message_7", ["claim"] = "claim_8", ["duplicate"] = "duplicate_9" }.ToFrozenDictionary());

    [Theory]
    [InlineData("SELECT id FROM message WHERE company = $1", "SELECT id FROM message_7 AS message WHERE company = $1")]
    [InlineData("SELECT m.id FROM claim c JOIN message m ON m.company = $1", "SELECT m.id FROM claim_8 c JOIN message_7 m ON m.company = $1")]
    [InlineData("SELECT m.id FROM claim AS c LEFT JOIN message AS m ON m.company = $1", "SELECT m.id FROM claim_8 AS c LEFT JOIN message_7 AS m ON m.company = $1")]
    [InlineData("SELECT (SELECT COUNT(*) FROM message) + 1", "SELECT (SELECT COUNT(*) FROM message_7 AS message) + 1")]
    [InlineData("UPDATE claim SET standing = 1 WHERE claim.session = $1", "UPDATE claim_8 AS claim SET standing = 1 WHERE claim.session = $1")]
    [InlineData("DELETE FROM claim WHERE company = $1", "DELETE FROM claim_8 AS claim WHERE company = $1")]
    [InlineData("COPY message (company, id) FROM STDIN", "COPY message_7 (company, id) FROM STDIN")]
    [InlineData("INSERT INTO claim (message) SELECT id FROM message\nORDER BY id", "INSERT INTO claim_8 AS claim (message) SELECT id FROM message_7 AS message\nORDER BY id")]
    [InlineData("INSERT INTO duplicate (message) VALUES ($1) ON CONFLICT (message) DO UPDATE SET count = duplicate.count + 1", "INSERT INTO duplicate_9 AS duplicate (message) VALUES ($1) ON CONFLICT (message) DO UPDATE SET count = duplicate.count + 1")]
    [InlineData("SELECT given.id FROM unnest($1) AS given (id)", "SELECT given.id FROM unnest($1) AS given (id)")]
    public void Tables_are_called_by_their_shards(string sql, string placed) => Assert.Equal(placed, Shards.Place(sql));

    [Theory]
    [InlineData("SELECT version FROM registry_version", true)]
    [InlineData("UPDATE suppressed SET kept_out = kept_out + 1 WHERE company = $1", true)]
    [InlineData("SELECT id FROM message WHERE company = $1", false)]
    [InlineData("COMMIT", false)]
    public void What_is_the_installations_is_asked_of_the_coordinator(string sql, bool isOfInstallation) => Assert.Equal(isOfInstallation, CompanyShards.IsOfInstallation(sql));
}
