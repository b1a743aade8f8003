"""Tell readers what is stored about them, erase them, and delete what has served its purpose.

erasure           empties a reader's row and deletes what else names them, in one transaction
data_export       collects all that is stored about one reader
data_export_page  shows that export as a page
retention         deletes or anonymises old records, in batches
inactive          finds readers who left so long ago that they are erased
"""
