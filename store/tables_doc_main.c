#include "store/tables_doc.h"

int main(void)
{
	tables_doc_write(stdout);
	return 0;
}
