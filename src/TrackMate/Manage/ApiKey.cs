using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace TrackMate.Manage;

/// <summary>The actions that a key allows.</summary>
[Flags]
public enum Scopes
{
    None = 0,

    /// <summary>Send webhooks.</summary>
    Write = 1,

    /// <summary>Read profiles, timelines, sessions and events.</summary>
    Read = 2,

    /// <summary>Correct, erase and export.</summary>
    Admin = 4,

    All = Write | Read | Admin,
}

/// <summary>An API key as it is stored: a hash, never the key itself.</summary>
/// <param name="Shown">The first characters, by which people recognize the key.</param>
public sealed record ApiKey(long Number, long Company, string Name, string Shown, Scopes Scopes, long CreatedAt, long? RevokedAt)
{
    public const string Header = "X-TrackMate-API-Key";

    /// <summary>The least length of a key that an operator supplies, in characters.</summary>
    public const int MinLength = 32;

    private const string Prefix = "tm_live_";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomDigits = 32;

    /// <summary>Creates a key: <c>tm_live_</c>, 32 random digits of 62 (190 bits), and 6 digits of a checksum by which secret scanners recognize it. The checksum authenticates nothing.</summary>
    public static string New()
    {
        var random = RandomNumberGenerator.GetString(Digits, RandomDigits);
        return Prefix + random + Checksum(random);
    }

    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The characters of a key to show. Of a supplied key only 4, so that the rest stays hard to guess.</summary>
    public static string ShownOf(string key) => key[..(key.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix.Length + 4 : 4)] + "…";

    public static string Write(Scopes scopes) => string.Join(' ', new[] { Scopes.Write, Scopes.Read, Scopes.Admin }.Where(scope => scopes.HasFlag(scope)).Select(scope => scope.ToString().ToLowerInvariant()));

    /// <summary>Parses scopes that are separated by spaces or commas.</summary>
    public static bool TryParse(string text, out Scopes scopes)
    {
        scopes = Scopes.None;
        foreach (var word in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            switch (word.ToLowerInvariant())
            {
                case "write": scopes |= Scopes.Write; break;
                case "read": scopes |= Scopes.Read; break;
                case "admin": scopes |= Scopes.Admin; break;
                case "all": scopes |= Scopes.All; break;
                default: return false;
            }
        }

        return scopes is not Scopes.None;
    }

    private static string Checksum(string random)
    {
        var crc = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(random));
        Span<char> digits = stackalloc char[6];
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = Digits[(int)(crc % 62)];
            crc /= 62;
        }

        return new(digits);
    }
}
