using Npgsql;

namespace TrackMate.Store.Sql.Postgres;

/// <summary>The keys of a connection string: Npgsql's names, and those of libpq and its tools.</summary>
internal static class ConnectionKeys
{
    private const string Mode = "SSL Mode";
    private const string RootCertificate = "Root Certificate";

    private static readonly Dictionary<string, string> OfLibpq = new(StringComparer.OrdinalIgnoreCase)
    {
        ["user"] = "Username",
        ["dbname"] = "Database",
        ["sslmode"] = Mode,
        ["ssl mode"] = Mode,
        ["sslnegotiation"] = "SSL Negotiation",
        ["sslrootcert"] = RootCertificate,
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["channel_binding"] = "Channel Binding",
        ["gssencmode"] = "GSS Encryption Mode",
        ["krbsrvname"] = "Kerberos Service Name",
        ["require_auth"] = "Require Auth",
        ["application_name"] = "Application Name",
        ["client_encoding"] = "Client Encoding",
        ["connect_timeout"] = "Timeout",
        ["target_session_attrs"] = "Target Session Attributes",
        ["load_balance_hosts"] = "Load Balance Hosts",
        ["keepalives"] = "TCP Keepalive",
        ["keepalives_idle"] = "TCP Keepalive Time",
        ["keepalives_interval"] = "TCP Keepalive Interval",
    };

    /// <summary>Values of libpq that Npgsql spells differently.</summary>
    private static readonly Dictionary<string, string> Values = new(StringComparer.OrdinalIgnoreCase)
    {
        ["verify-ca"] = nameof(SslMode.VerifyCA),
        ["verify-full"] = nameof(SslMode.VerifyFull),
        ["scram-sha-256"] = "ScramSHA256",
        ["1"] = "true",
        ["0"] = "false",
        ["random"] = "true",
        ["disable"] = "false",
    };

    /// <exception cref="FormatException">The key is unknown, or its value is invalid. The message names the key and not the value, which may be a password.</exception>
    public static void Set(NpgsqlConnectionStringBuilder settings, string key, string value)
    {
        var name = OfLibpq.GetValueOrDefault(key, key);
        if (!settings.ContainsKey(name)) throw new FormatException($"{key} is not a known connection setting; see docs/scaling.md for the known ones");
        // With "system" libpq trusts the machine's authorities. Npgsql uses those when no certificate is given.
        if (name == RootCertificate && value == "system") settings.SslMode = SslMode.VerifyFull;
        else if (!TrySet(settings, name, value) && !(Values.TryGetValue(value, out var translated) && TrySet(settings, name, translated)))
            throw new FormatException($"{key} has an invalid value{(name == Mode ? "; use disable, allow, prefer, require, verify-ca or verify-full" : "")}");
    }

    private static bool TrySet(NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        try
        {
            settings[name] = value;
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
