using System.Security.Cryptography;
using System.Text;
using TrackMate.Store.Sql.Sqlite;

namespace TrackMate.Manage;

/// <summary>
/// Encrypts the secrets that must be readable again (AES-256-GCM), with a key in <c>keys/token.key</c> of the data folder. No backup contains this file, so nobody can
/// read the secrets in a backup without it.
/// </summary>
internal sealed class SealingKey(string dataFolder)
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public string Path { get; } = System.IO.Path.Combine(dataFolder, "keys", "token.key");

    /// <param name="purpose">The use of the secret. It can only be decrypted for the same purpose.</param>
    /// <exception cref="CommandFailedException">The key file is damaged.</exception>
    public byte[] Seal(ReadOnlySpan<byte> secret, string purpose)
    {
        var box = new byte[NonceBytes + secret.Length + TagBytes];
        var nonce = box.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(Read() ?? Make(), TagBytes);
        aes.Encrypt(nonce, secret, box.AsSpan(NonceBytes, secret.Length), box.AsSpan(NonceBytes + secret.Length), Encoding.UTF8.GetBytes(purpose));
        return box;
    }

    /// <returns>Null if the key file is missing, or is not the one that encrypted the secret.</returns>
    public byte[]? Open(ReadOnlySpan<byte> box, string purpose)
    {
        try
        {
            if (box.Length < NonceBytes + TagBytes || Read() is not { } key) return null;
            var secret = new byte[box.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(box[..NonceBytes], box.Slice(NonceBytes, secret.Length), box[^TagBytes..], secret, Encoding.UTF8.GetBytes(purpose));
            return secret;
        }
        catch (Exception e) when (e is CryptographicException or CommandFailedException or IOException or UnauthorizedAccessException)
        {
            // The caller reports it: the token key is shown as unreadable.
            return null;
        }
    }

    private byte[]? Read()
    {
        if (!File.Exists(Path)) return null;
        var key = File.ReadAllBytes(Path);
        return key.Length == KeyBytes
            ? key
            : throw new CommandFailedException($"{Path} is damaged: bring it back from where you keep it, or move it away, revoke the token keys that cannot be read, and make new ones with: trackmate token-key add");
    }

    /// <summary>Creates the key file. If two programs create it at the same moment, the second one reads the first one's file.</summary>
    private byte[] Make()
    {
        FolderLock.Make(dataFolder, "keys");
        var unfinished = $"{Path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(unfinished, Path, overwrite: false);
        }
        catch (IOException) when (File.Exists(Path))
        {
            File.Delete(unfinished);
        }

        return Read()!;
    }
}
