using System.Security.Cryptography;
using System.Text;

namespace TrackMate.Bind;

/// <summary>A tenant. Nothing crosses companies, ever: its number is part of every key and every query. (B1 to B16, here and elsewhere, are the rules of <c>docs/binding.md</c>.)</summary>
/// <param name="Number">The store's own number of it, never shown.</param>
/// <param name="CompanyId">The public id, such as <c>TM-SHOP99</c>.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Secret">32 random bytes that key its profiles' ids and its webhook sessions' hashes.</param>
/// <param name="Settings">What the company has chosen.</param>
public sealed record Company(long Number, string CompanyId, string Name, byte[] Secret, CompanySettings Settings)
{
    /// <summary>The first 12 bytes of HMAC-SHA-256(secret, kind + ":" + value): the same for the same value, for ever, and telling nobody without the secret what it stands for (B9).</summary>
    /// <param name="kind">What the value is, such as <c>email</c>, so that one value of two kinds has two ids.</param>
    /// <param name="value">In its compared form.</param>
    public ProfileId KeyedId(string kind, string value)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Hash($"{kind}:{value}", hash);
        return ProfileId.FromBytes(hash);
    }

    /// <summary>The id of a server session whose first event this is: <c>webhook_&lt;unix s&gt;_&lt;16 hex digits of a keyed hash of the eventId&gt;</c> (B7).</summary>
    public string Anchor(long unixMilliseconds, string eventId)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Hash("anchor:" + eventId, hash);
        return $"webhook_{Math.DivRem(unixMilliseconds, 1000).Quotient}_{Convert.ToHexStringLower(hash[..8])}";
    }

    /// <summary>The eight bytes by which a cursor shows that it is ours and whole.</summary>
    public void Seal(ReadOnlySpan<byte> text, Span<byte> seal)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Secret, text, hash);
        hash[..seal.Length].CopyTo(seal);
    }

    private void Hash(string text, Span<byte> hash)
    {
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = length <= 1024 ? stackalloc byte[length] : new byte[length];
        HMACSHA256.HashData(Secret, bytes[..Encoding.UTF8.GetBytes(text, bytes)], hash);
    }
}
