using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Reads what <c>TRACKMATE_DATABASE</c> says.</summary>
internal static class PostgresConnection
{
    /// <exception cref="FormatException">It is neither a URL nor a list of key=value, names no host or database, or has a key or a value that is not understood.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        foreach (var (key, value) in PairsOf(text)) ConnectionKeys.Set(settings, key, value);

        if (string.IsNullOrEmpty(settings.Host)) throw new FormatException("it names no host");
        if (settings.Host.Contains('=', StringComparison.Ordinal)) throw new FormatException("its key=value pairs have to be separated by semicolons");
        if (string.IsNullOrEmpty(settings.Database)) settings.Database = settings.Username;
        if (string.IsNullOrEmpty(settings.Database)) throw new FormatException("it names no database");
        settings.ApplicationName ??= "trackmate";
        // ContainsKey is true of every key there could be; what was given is what would be written. What senders are told must not take longer than they wait.
        if (!settings.ShouldSerialize("Timeout")) settings.Timeout = ConnectSeconds;
        if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = CommandSeconds;
        // Of several hosts it is the one that takes writes, and it is looked for again soon after another has become that.
        if (settings.Host.Contains(',', StringComparison.Ordinal))
        {
            if (!settings.ShouldSerialize("Target Session Attributes")) settings.TargetSessionAttributes = "primary";
            if (!settings.ShouldSerialize("Host Recheck Seconds")) settings.HostRecheckSeconds = RecheckSeconds;
        }
        else
        {
            // Where there is one host, it is that one; Npgsql would not have it asked.
            settings.Remove("Target Session Attributes");
        }

        // Npgsql asks for Kerberos' encryption first and, where no answer comes in time, once more without it: in the fraction of a millisecond that is left then, which it
        // rounds down to no limit at all. Whoever wants it says so.
        if (!settings.ShouldSerialize("GSS Encryption Mode")) settings.GssEncryptionMode = GssEncryptionMode.Disable;
        // A machine that lost its power says nothing, and whoever waits for what it was asked would wait for ever.
        if (!settings.ShouldSerialize("TCP Keepalive")) settings.TcpKeepAlive = true;
        if (settings.TcpKeepAlive && !settings.ShouldSerialize("TCP Keepalive Time")) settings.TcpKeepAliveTime = KeepAliveSeconds;
        if (settings.TcpKeepAlive && !settings.ShouldSerialize("TCP Keepalive Interval")) settings.TcpKeepAliveInterval = KeepAliveIntervalSeconds;
        settings.NoResetOnClose = true;
        // Every statement has an index. A plan that was made while a table was empty stays until the database has counted it, and would walk all of what has come since.
        // And where the database is many machines, how long one of them is waited for that does not answer; any other database takes it for a name of ours.
        settings.Options = $"{settings.Options} -c enable_seqscan=off -c citus.node_connection_timeout={ConnectSeconds}s".TrimStart();
        settings.IncludeErrorDetail = false;
        return settings;
    }

    private const int ConnectSeconds = 3;
    private const int CommandSeconds = 10;
    private const int RecheckSeconds = 2;
    private const int KeepAliveSeconds = 10;
    private const int KeepAliveIntervalSeconds = 5;

    private static IReadOnlyList<(string Key, string Value)> PairsOf(string text)
    {
        try
        {
            if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)) return [.. PairsOf(new Uri(text))];
            var pairs = new DbConnectionStringBuilder { ConnectionString = text };
            return [.. pairs.Keys.Cast<string>().Select(key => (key, (string)pairs[key]))];
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException)
        {
            // What was given may hold a password, so it is not repeated.
            throw new FormatException("it is neither a URL such as postgres://user:password@host:5432/trackmate nor key=value pairs such as Host=…;Username=…;Password=…;Database=trackmate", e);
        }
    }

    private static IEnumerable<(string Key, string Value)> PairsOf(Uri url)
    {
        if (url.Host.Length > 0) yield return ("host", Uri.UnescapeDataString(url.Host));
        if (url.Port > 0) yield return ("port", url.Port.ToString(CultureInfo.InvariantCulture));
        if (url.AbsolutePath.TrimStart('/') is { Length: > 0 } database) yield return ("dbname", Uri.UnescapeDataString(database));
        if (url.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password])
        {
            yield return ("user", Uri.UnescapeDataString(user));
            if (password is [var given]) yield return ("password", Uri.UnescapeDataString(given));
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            yield return pair.Split('=', 2) is [var key, var value] ? (Uri.UnescapeDataString(key), Uri.UnescapeDataString(value)) : (Uri.UnescapeDataString(pair), "");
    }
}
