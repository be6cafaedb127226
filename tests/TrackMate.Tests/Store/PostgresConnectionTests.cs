using Npgsql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What a connection may be told, as people write it for libpq and its tools or for Npgsql.</summary>
[NoStore]
public sealed class PostgresConnectionTests
{
    [Theory]
    [InlineData("sslmode=disable", "SSL Mode=Disable")]
    [InlineData("sslmode=allow", "SSL Mode=Allow")]
    [InlineData("sslmode=prefer", "SSL Mode=Prefer")]
    [InlineData("sslmode=require", "SSL Mode=Require")]
    [InlineData("sslmode=verify-ca", "SSL Mode=VerifyCA")]
    [InlineData("sslmode=verify-full", "SSL Mode=VerifyFull")]
    [InlineData("SSL Mode=verify-full", "SSL Mode=VerifyFull")]
    [InlineData("SslMode=VerifyFull", "SSL Mode=VerifyFull")]
    [InlineData("sslrootcert=/etc/root.pem", "Root Certificate=/etc/root.pem")]
    [InlineData("sslrootcert=system", "SSL Mode=VerifyFull")]
    [InlineData("sslcert=/etc/own.pem", "SSL Certificate=/etc/own.pem")]
    [InlineData("sslkey=/etc/own.key", "SSL Key=/etc/own.key")]
    [InlineData("sslpassword=random", "SSL Password=random")]
    [InlineData("sslmode=require&sslnegotiation=direct", "SSL Negotiation=Direct")]
    [InlineData("channel_binding=require", "Channel Binding=Require")]
    [InlineData("gssencmode=prefer", "GSS Encryption Mode=Prefer")]
    [InlineData("gssencmode=disable", "GSS Encryption Mode=Disable")]
    [InlineData("krbsrvname=postgres", "Kerberos Service Name=postgres")]
    [InlineData("require_auth=scram-sha-256", "Require Auth=ScramSHA256")]
    [InlineData("passfile=/etc/pgpass", "Passfile=/etc/pgpass")]
    [InlineData("application_name=shop", "Application Name=shop")]
    [InlineData("client_encoding=UTF8", "Client Encoding=UTF8")]
    [InlineData("connect_timeout=7", "Timeout=7")]
    [InlineData("host=one,two", "Host=one,two")]
    [InlineData("host=one,two", "Target Session Attributes=primary")]
    [InlineData("host=one,two&target_session_attrs=read-write", "Target Session Attributes=read-write")]
    [InlineData("host=one,two&load_balance_hosts=random", "Load Balance Hosts=True")]
    [InlineData("host=one,two&load_balance_hosts=disable", "Load Balance Hosts=False")]
    [InlineData("options=-csearch_path%3Dshop", "Options=-csearch_path=shop -c enable_seqscan=off -c citus.node_connection_timeout=3s")]
    [InlineData("user=other&password=p%26w", "Username=other")]
    [InlineData("user=other&password=p%26w", "Password=p&w")]
    [InlineData("port=6543", "Port=6543")]
    [InlineData("dbname=other", "Database=other")]
    [InlineData("Search Path=shop", "Search Path=shop")]
    [InlineData("", "TCP Keepalive=True")]
    [InlineData("", "TCP Keepalive Time=10")]
    [InlineData("", "TCP Keepalive Interval=5")]
    [InlineData("keepalives=1", "TCP Keepalive Time=10")]
    [InlineData("keepalives_idle=60", "TCP Keepalive Time=60")]
    [InlineData("keepalives_interval=20", "TCP Keepalive Interval=20")]
    [InlineData("keepalives=0", "TCP Keepalive=False")]
    [InlineData("keepalives=0", "TCP Keepalive Time=")]
    public void It_is_understood_in_a_URL_and_as_pairs(string told, string understood)
    {
        var pairs = string.Join(';', told.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => $"{pair.Split('=')[0]}=\"{Uri.UnescapeDataString(pair.Split('=', 2)[1])}\""));
        foreach (var text in new[] { $"postgres://a:b@h:1/d?{told}", $"Host=h;Port=1;Username=a;Password=b;Database=d;{pairs}" })
        {
            var settings = PostgresConnection.Read(text);
            var (name, value) = (understood.Split('=')[0], understood.Split('=', 2)[1]);
            Assert.Equal(value, settings.ShouldSerialize(name) ? settings[name].ToString() : "");
            // What is read can be connected with, and read again as it is.
            using var source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
            Assert.StartsWith(settings[name].ToString()!, PostgresConnection.Read(settings.ConnectionString)[name].ToString());
        }
    }

    [Fact]
    public void One_host_is_the_one_that_is_meant_whatever_else_it_has_to_be()
    {
        var settings = PostgresConnection.Read("postgres://a@h/d?target_session_attrs=read-write");
        using var source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    [Fact]
    public void A_URL_says_who_where_and_what()
    {
        var settings = PostgresConnection.Read("postgresql://an%40n:p%3Aw@db.internal:6543/sho%70");
        Assert.Equal(("db.internal", 6543, "an@n", "p:w", "shop"), (settings.Host, settings.Port, settings.Username, settings.Password, settings.Database));
        Assert.Equal("ann", PostgresConnection.Read("postgres://ann@db.internal").Database);
    }

    [Theory]
    [InlineData("postgres://a:secret@h/d?bogus=secret", "bogus is not a known connection setting")]
    [InlineData("Host=h;Username=a;Password=secret;Bogus=secret", "bogus is not a known connection setting")]
    [InlineData("postgres://a:secret@h/d?sslmode=secret", "sslmode has an invalid value; use disable, allow, prefer, require, verify-ca or verify-full")]
    [InlineData("Host=h;Username=a;SSL Mode=secret", "ssl mode has an invalid value; use disable,")]
    [InlineData("postgres://a:secret@h/d?connect_timeout=secret", "connect_timeout has an invalid value")]
    [InlineData("Host=h;Username=a;Timeout=verify-full", "timeout has an invalid value")]
    [InlineData("host=h user=a password=secret", "its key=value pairs have to be separated by semicolons")]
    [InlineData("postgres://a:secret@h:1,i:1/d", "it is neither a URL such as")]
    [InlineData("secret", "it is neither a URL such as")]
    [InlineData("Username=a;Password=secret", "it names no host")]
    [InlineData("postgres:///d?user=a", "it names no host")]
    [InlineData("Host=h", "it names no database")]
    public void What_is_not_understood_is_named_and_never_repeated(string text, string sentence)
    {
        var message = Assert.Throws<FormatException>(() => PostgresConnection.Read(text)).Message;
        Assert.StartsWith(sentence, message);
        Assert.DoesNotContain("secret", message);
    }
}
