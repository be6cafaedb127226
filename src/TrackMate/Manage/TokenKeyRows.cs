using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Manage;

/// <summary>Token keys in the store. Their secrets are encrypted with the data folder's own key.</summary>
internal static class TokenKeyRows
{
    public static List<TokenKey> Read(Database database, SealingKey sealing)
    {
        var keys = new List<TokenKey>();
        using var rows = database.Use("SELECT id, company, kid, algorithm, key, created_ms, revoked_ms FROM token_key ORDER BY id");
        while (rows.Next())
        {
            var (company, kid, algorithm, revokedAt) = (rows.Long(1), rows.Text(2), Enum.Parse<TokenAlgorithm>(rows.Text(3)), rows.LongOrNull(6));
            var key = revokedAt is not null ? null : algorithm is TokenAlgorithm.HS256 ? sealing.Open(rows.Bytes(4), PurposeOf(company, kid)) : rows.Bytes(4).ToArray();
            keys.Add(new(rows.Long(0), company, kid, algorithm, key, rows.Long(5), revokedAt));
        }

        return keys;
    }

    /// <param name="key">The secret's UTF-8 bytes (HS256), or the public key (EdDSA).</param>
    public static void Add(Database database, SealingKey sealing, long company, string kid, TokenAlgorithm algorithm, byte[] key, long now) =>
        database.Use("INSERT INTO token_key (company, kid, algorithm, key, created_ms) VALUES (?, ?, ?, ?, ?)")
            .With(company).With(kid).With(algorithm.ToString()).WithBlob(algorithm is TokenAlgorithm.HS256 ? sealing.Seal(key, PurposeOf(company, kid)) : key).With(now).Run();

    private static string PurposeOf(long company, string kid) => $"token-key {company} {kid}";
}
