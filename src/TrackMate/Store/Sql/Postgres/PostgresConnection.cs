using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>Reads the connection string in <c>TRACKMATE_DATABASE</c>.</summary>
internal static class PostgresConnection
{
    /// <exception cref="FormatException">The text is neither a URL nor a list of key=value, has no host or database, or has an unknown key or an invalid value.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        foreach (var (key, value) in PairsOf(text)) ConnectionKeys.Set(settings, key, value);

        if (string.IsNullOrEmpty(settings.Host)) throw new FormatException("it names no host");
        if (settings.Host.Contains('=', StringComparison.Ordinal)) throw new FormatException("its key=value pairs have to be separated by semicolons");
        if (string.IsNullOrEmpty(settings.Database)) settings.Database = settings.Username;
        if (string.IsNullOrEmpty(settings.Database)) throw new FormatException("it names no database");
        settings.ApplicationName ??= "trackmate";
        // ContainsKey is true for every known key; ShouldSerialize is true for given ones only. Our timeouts must be shorter than those of the senders.
        if (!settings.ShouldSerialize("Timeout")) settings.Timeout = ConnectSeconds;
        if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = CommandSeconds;
        // With several hosts we use the primary, and look for a new primary soon after a failover.
        if (settings.Host.Contains(',', StringComparison.Ordinal))
        {
            if (!settings.ShouldSerialize("Target Session Attributes")) settings.TargetSessionAttributes = "primary";
            if (!settings.ShouldSerialize("Host Recheck Seconds")) settings.HostRecheckSeconds = RecheckSeconds;
        }
        else
        {
            // With one host there is no choice, and Npgsql should not query which kind it is.
            settings.Remove("Target Session Attributes");
        }

        // Npgsql tries Kerberos encryption first. If there is no answer in time, it tries once more without, in the fraction of a millisecond that is left. It rounds that
        // down to 0, which means no timeout at all. So Kerberos encryption must be asked for.
        if (!settings.ShouldSerialize("GSS Encryption Mode")) settings.GssEncryptionMode = GssEncryptionMode.Disable;
        // A machine without power sends nothing. Without keepalives a client would wait for its answer forever.
        if (!settings.ShouldSerialize("TCP Keepalive")) settings.TcpKeepAlive = true;
        if (settings.TcpKeepAlive && !settings.ShouldSerialize("TCP Keepalive Time")) settings.TcpKeepAliveTime = KeepAliveSeconds;
        if (settings.TcpKeepAlive && !settings.ShouldSerialize("TCP Keepalive Interval")) settings.TcpKeepAliveInterval = KeepAliveIntervalSeconds;
        settings.NoResetOnClose = true;
        // Every statement has an index. A plan that was made while a table was empty stays until the table is analyzed, and would then scan all the new rows. The Citus
        // setting limits the wait for a machine that does not answer; a database without Citus accepts it as a custom setting.
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
            // The text may contain a password, so the error does not repeat it.
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
