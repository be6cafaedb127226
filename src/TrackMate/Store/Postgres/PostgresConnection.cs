using Npgsql;

namespace TrackMate.Store.Postgres;

/// <summary>Reads what <c>TRACKMATE_DATABASE</c> says.</summary>
internal static class PostgresConnection
{
    /// <exception cref="FormatException">It is neither a URL nor a list of key=value, or names no host or database.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
                ? OfUrl(new Uri(text))
                : new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException or FormatException or KeyNotFoundException)
        {
            // What was given may hold a password, so it is not repeated.
            throw new FormatException("it is neither a URL such as postgres://user:password@host:5432/trackmate nor key=value pairs such as Host=…;Username=…;Password=…;Database=trackmate", e);
        }

        if (string.IsNullOrEmpty(settings.Host)) throw new FormatException("it names no host");
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

        // Npgsql asks for Kerberos' encryption first and, where no answer comes in time, once more without it: in the fraction of a millisecond that is left then, which it
        // rounds down to no limit at all. Whoever wants it says so.
        if (!settings.ShouldSerialize("GSS Encryption Mode")) settings.GssEncryptionMode = GssEncryptionMode.Disable;
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

    private static NpgsqlConnectionStringBuilder OfUrl(Uri url)
    {
        var settings = new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(url.Host), Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')) };
        if (url.Port > 0) settings.Port = url.Port;
        if (url.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password])
        {
            settings.Username = Uri.UnescapeDataString(user);
            if (password is [var given]) settings.Password = Uri.UnescapeDataString(given);
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.Split('=', 2) is [var left, var right] ? (Uri.UnescapeDataString(left), Uri.UnescapeDataString(right)) : (Uri.UnescapeDataString(pair), "");
            // The names that libpq gives them in a URL.
            settings[key switch
            {
                "sslmode" => "SSL Mode",
                "sslrootcert" => "Root Certificate",
                "sslcert" => "SSL Certificate",
                "sslkey" => "SSL Key",
                "application_name" => "Application Name",
                "connect_timeout" => "Timeout",
                "target_session_attrs" => "Target Session Attributes",
                "options" => "Options",
                _ => key,
            }] = value;
        }

        return settings;
    }
}
